"""Images on the web over HTTPS, read-only: ``https://example.org/photos``."""

from pixmill.storage.web.storage import WebStorage


class HttpsStorage(WebStorage):
    """The images below one URL."""

    scheme = "https"
