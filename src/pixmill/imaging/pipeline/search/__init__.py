"""Search for the quality or the size of an image with which its file is what was asked for."""
