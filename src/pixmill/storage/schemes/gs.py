"""Google Cloud Storage: ``gs://bucket/prefix``.

Credentials come from the environment (``GOOGLE_APPLICATION_CREDENTIALS``, ``GOOGLE_SERVICE_ACCOUNT``, ...), from ``gcloud auth
application-default login``, or from the machine. ``STORAGE_EMULATOR_HOST`` names an emulator, which needs none.
"""

import os
from typing import ClassVar

from pixmill.storage.address import Address
from pixmill.storage.object_store.client import Bucket, bucket_and_prefix, client_options, import_obstore, no_retries, open_store
from pixmill.storage.object_store.storage import ObjectStorage


class GsStorage(ObjectStorage):
    """The objects of a Google Cloud Storage bucket, whose conditions name the generation of an object."""

    matches_etags: ClassVar = False

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened bucket."""
        name, prefix = bucket_and_prefix(address)
        library = import_obstore("gs", "reading and writing gs:// addresses")
        settings = from_emulator(os.environ.get("STORAGE_EMULATOR_HOST", ""))
        options = client_options(settings.get("base_url") or os.environ.get("GOOGLE_BASE_URL", ""))
        store = open_store(
            lambda: library.store.GCSStore(
                name, prefix=prefix or None, config=settings, client_options=options, retry_config=no_retries()
            ),
            address,
        )
        return Bucket(library, store, str(address))


def from_emulator(host: str) -> dict[str, str]:
    """Return the settings for an emulator at ``host`` (a URL, or the part after ``http://``); empty without a host."""
    if not host:
        return {}
    return {
        "base_url": host if "://" in host else f"http://{host}",
        "bearer_token": "emulated",  # otherwise obstore requests one from the machine
    }
