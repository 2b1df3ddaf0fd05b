"""Which task is tried next, and what becomes of it."""
