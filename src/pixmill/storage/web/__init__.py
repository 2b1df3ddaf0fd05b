"""The web as a storage that is only read: one request for one image, on terms that protect both sides."""
