"""The members of a plain tar file, read where they lie: ``tar:///srv/photos.tar``."""

from pixmill.storage.archives.storage import ArchiveStorage
from pixmill.storage.archives.tar import TarFormat


class TarStorage(ArchiveStorage):
    """A tar file as a folder that is only read."""

    layout = TarFormat
