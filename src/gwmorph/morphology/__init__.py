"""From vectors to a map: clustering."""
