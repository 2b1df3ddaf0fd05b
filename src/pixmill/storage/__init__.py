"""Where bytes live and how they are named. Knows nothing of images, tasks or runs."""
