"""Lists of images: reading them, and mapping their entries to output paths. Lists are streamed, never held in memory as a whole."""
