"""The HTTP server of the live page and its access control."""
