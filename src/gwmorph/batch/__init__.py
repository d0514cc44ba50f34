"""What the workflow's jobs ask a batch system for, by what they were measured to need."""
