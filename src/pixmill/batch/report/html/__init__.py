"""The report as one self-contained page: no request leaves it, and every name in it is inert."""
