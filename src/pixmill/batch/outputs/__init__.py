"""Who owns the files in an output: pixmill, the source, or another program."""
