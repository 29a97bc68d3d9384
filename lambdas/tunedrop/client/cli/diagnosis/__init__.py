"""What `tunedrop doctor` looks at, one after the other."""
