"""Images on the web, by HTTP, to be read: ``http://example.org/photos``."""

from pixmill.storage.web.storage import WebStorage


class HttpStorage(WebStorage):
    """What is below one URL."""

    scheme = "http"
