"""Images on the web, by HTTPS, to be read: ``https://example.org/photos``."""

from pixmill.storage.web.storage import WebStorage


class HttpsStorage(WebStorage):
    """What is below one URL."""

    scheme = "https"
