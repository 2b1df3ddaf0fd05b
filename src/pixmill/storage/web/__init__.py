"""The web as a read-only storage: one request per image, under a request policy that protects client and servers."""
