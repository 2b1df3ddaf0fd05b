"""The libraries that read, write and resize: libvips, Pillow, and a resizer with vector instructions."""
