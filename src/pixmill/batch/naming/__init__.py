"""Names of outputs, and what happens when two images want the same."""
