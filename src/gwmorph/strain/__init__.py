"""Where samples come from: GWOSC, directories of files, and their formats."""
