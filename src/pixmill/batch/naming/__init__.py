"""Output names, and how collisions between them are resolved."""
