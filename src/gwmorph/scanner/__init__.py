"""New data as they come: what arrives, what becomes of it, and what is told to whom."""
