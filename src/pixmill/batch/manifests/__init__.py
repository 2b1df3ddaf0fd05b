"""Lists of images: how they are read, and where what they name goes. However long one is, it is never held as a whole."""
