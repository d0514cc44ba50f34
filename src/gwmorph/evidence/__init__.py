"""What the pipeline finds and what it misses: statistics, injections, recall."""
