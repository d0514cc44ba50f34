"""Commands of ``gwmorph`` that are more than a few lines, each with its options."""
