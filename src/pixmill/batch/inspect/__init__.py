"""What is on record of an output: its state, its files, its index."""
