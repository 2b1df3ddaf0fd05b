"""The fork server: a process that imports the handler's modules once and forks workers."""
