"""What serves every game: the protocol, the shells, the checks of settings, the random stream, the references."""
