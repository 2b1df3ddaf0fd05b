"""The members of a zip file, read where they lie: ``zip:///srv/photos.zip``."""

from pixmill.storage.archives.storage import ArchiveStorage
from pixmill.storage.archives.zip import ZipFormat


class ZipStorage(ArchiveStorage):
    """A zip file as a folder that is only read."""

    layout = ZipFormat
