"""The stages of processing an image, from source bytes to output bytes."""
