"""Writing files by way of another process, so that the one that makes them needs no right to write."""
