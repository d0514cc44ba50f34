"""What files look like that one part of the library writes and another reads."""
