"""From samples to pictures: conditioning, Q-transform, pooling, PNG."""
