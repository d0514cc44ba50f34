"""New data, judged as they arrive: from files to statuses, block by block."""
