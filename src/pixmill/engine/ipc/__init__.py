"""Messages and shared memory between the coordinator and a worker."""
