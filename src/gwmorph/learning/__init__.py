"""Training of networks on spectrograms, without labels."""
