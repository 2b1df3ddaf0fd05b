"""The process that imports the handler once and forks workers."""
