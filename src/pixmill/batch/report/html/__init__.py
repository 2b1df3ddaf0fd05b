"""The report as one self-contained page: it sends no requests, and all names in it are escaped."""
