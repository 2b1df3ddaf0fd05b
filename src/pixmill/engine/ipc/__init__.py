"""Messages and shared memory between the coordinator and its workers."""
