"""What the operating system offers, made safe: regular files only, whole or not at all, every error with a name."""
