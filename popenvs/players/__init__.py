"""Reference policies that are programs of their own; they know what a game shows, not how it works."""
