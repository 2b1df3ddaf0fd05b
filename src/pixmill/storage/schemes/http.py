"""Images on the web over HTTP, read-only: ``http://example.org/photos``."""

from pixmill.storage.web.storage import WebStorage


class HttpStorage(WebStorage):
    """The images below one URL."""

    scheme = "http"
