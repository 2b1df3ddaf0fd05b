"""Azure Blob Storage: ``az://container/prefix``, in the account set by the environment.

Account and credentials come from the environment: ``AZURE_STORAGE_CONNECTION_STRING``, or ``AZURE_STORAGE_ACCOUNT_NAME`` with
``AZURE_STORAGE_ACCOUNT_KEY``, ``AZURE_STORAGE_SAS_TOKEN`` or ``AZURE_CLIENT_ID`` and ``AZURE_CLIENT_SECRET``; or from the machine.
"""

import os

from pixmill.storage.address import Address
from pixmill.storage.object_store.client import Bucket, bucket_and_prefix, client_options, import_obstore, no_retries, open_store
from pixmill.storage.object_store.storage import ObjectStorage

CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
_EMULATOR = "http://127.0.0.1:10000"
_SETTINGS = {
    "AccountName": "account_name", "AccountKey": "account_key", "SharedAccessSignature": "sas_key", "BlobEndpoint": "endpoint",
}  # fmt: skip


class AzStorage(ObjectStorage):
    """The blobs of an Azure container."""

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened container."""
        name, prefix = bucket_and_prefix(address)
        library = import_obstore("az", "reading and writing az:// addresses")
        settings = from_connection_string(os.environ.get(CONNECTION, ""))
        endpoint = settings.get("endpoint") or os.environ.get("AZURE_STORAGE_ENDPOINT") or os.environ.get("AZURE_ENDPOINT", "")
        options = client_options(_EMULATOR if "use_emulator" in settings else endpoint)
        store = open_store(
            lambda: library.store.AzureStore(
                name, prefix=prefix or None, config=settings, client_options=options, retry_config=no_retries()
            ),
            address,
        )
        return Bucket(library, store, str(address))


def from_connection_string(text: str) -> dict[str, str]:
    """Return the settings of a connection string in the portal's format, limited to those for blobs."""
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if parts.get("UseDevelopmentStorage", "").lower() == "true":
        return {"use_emulator": "true"}
    return {_SETTINGS[name]: value for name, value in parts.items() if name in _SETTINGS}
