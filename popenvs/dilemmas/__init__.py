"""Social dilemmas: finite games of N players, held as tensors, to be played or solved."""
