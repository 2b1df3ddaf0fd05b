"""The fast engine: JPEG through libjpeg-turbo, resized with vector instructions. What it cannot do exactly is left to libvips."""
