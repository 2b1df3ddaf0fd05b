"""The handler that processes images in worker processes, and its options."""
