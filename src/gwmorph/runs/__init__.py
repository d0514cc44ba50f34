"""A finished run as one looks into it: its rows, what is alike, and the same for other strain."""
