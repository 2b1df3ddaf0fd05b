"""The server of the live page, and who may ask it."""
