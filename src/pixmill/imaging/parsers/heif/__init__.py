"""HEIF and AVIF: items, what is stated of them, and the headers of the bitstreams that they hold."""
