"""The members of a zip file, read in place: ``zip:///srv/photos.zip``."""

from pixmill.storage.archives.storage import ArchiveStorage
from pixmill.storage.archives.zip import ZipFormat


class ZipStorage(ArchiveStorage):
    """A zip file as a read-only folder."""

    layout = ZipFormat
