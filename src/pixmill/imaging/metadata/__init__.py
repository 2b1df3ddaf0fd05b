"""EXIF, XMP, IPTC and orientation: reading, keeping and removing metadata."""
