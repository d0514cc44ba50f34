"""From pictures to vectors: frozen encoders and embedding shards."""
