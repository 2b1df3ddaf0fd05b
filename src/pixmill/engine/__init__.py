"""Run any handler over any tasks: crash-proof, resumable, on every core. Knows nothing of images or storage."""
