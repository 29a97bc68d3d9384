"""The command `tunedrop`."""
