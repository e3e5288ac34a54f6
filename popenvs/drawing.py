"""A board of tiles as text, as an image or in a window. Knows no game."""
