"""The code that runs inside a worker process."""
