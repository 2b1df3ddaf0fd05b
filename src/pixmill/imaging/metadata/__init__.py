"""EXIF, XMP, IPTC and orientation: what is read, kept and dropped."""
