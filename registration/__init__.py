"""The tables that tie names to environments and learners, as strings: reading them imports neither."""
