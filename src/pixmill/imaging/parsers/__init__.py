"""Headers of image files, read without a decoder."""
