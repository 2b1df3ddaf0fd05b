"""Amazon S3 and compatible stores: ``s3://bucket/prefix``.

Credentials, region and endpoint come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``, ``AWS_ENDPOINT_URL``, ...), from
the files of the AWS tools, or from the machine (instance, container and web identity).
"""

import os
from pathlib import Path

from pixmill.storage.address import Address
from pixmill.storage.object_store.aws_profile import aws_profile
from pixmill.storage.object_store.client import Bucket, bucket_and_prefix, client_options, import_obstore, no_retries, open_store
from pixmill.storage.object_store.storage import ObjectStorage


class S3Storage(ObjectStorage):
    """The objects of an S3 bucket."""

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened bucket."""
        name, prefix = bucket_and_prefix(address)
        library = import_obstore("s3", "reading and writing s3:// addresses")
        settings = aws_profile(os.environ, Path.home())
        variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        endpoint = next(filter(None, map(os.environ.get, variables)), settings.get("endpoint", ""))
        store = open_store(
            lambda: library.store.S3Store(
                name, prefix=prefix or None, config=settings, client_options=client_options(endpoint), retry_config=no_retries()
            ),
            address,
        )
        return Bucket(library, store, str(address))
