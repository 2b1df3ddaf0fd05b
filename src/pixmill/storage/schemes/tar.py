"""The members of a plain tar file, read in place: ``tar:///srv/photos.tar``."""

from pixmill.storage.archives.storage import ArchiveStorage
from pixmill.storage.archives.tar import TarFormat


class TarStorage(ArchiveStorage):
    """A tar file as a read-only folder."""

    layout = TarFormat
