"""Amazon S3 and compatible stores: ``s3://bucket/prefix``.

Credentials, region and endpoint come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``, ``AWS_ENDPOINT_URL``, ...), from
the files of the AWS tools, or from the machine (instance, container and web identity).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.request import getproxies

from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.object_store.aws_profile import aws_profile
from pixmill.storage.object_store.client import (
    Bucket,
    bucket_and_prefix,
    certificate_file,
    client_options,
    import_obstore,
    no_retries,
    open_store,
)
from pixmill.storage.object_store.key_listing import KeyListing
from pixmill.storage.object_store.storage import ObjectStorage

# settings that obstore knows and the own listing does not
_ONLY_OBSTORE = (
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_S3_EXPRESS",
    "AWS_REQUEST_PAYER",
    "AWS_IMDSV1_FALLBACK",
    "AWS_UNSIGNED_PAYLOAD",
)


class S3Storage(ObjectStorage):
    """The objects of an S3 bucket."""

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened bucket."""
        name, prefix = bucket_and_prefix(address)
        library = import_obstore("s3", "reading and writing s3:// addresses")
        _check_key_pair()
        settings = aws_profile(os.environ, Path.home())
        variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        endpoint = next(filter(None, map(os.environ.get, variables)), settings.get("endpoint", ""))
        store = open_store(
            lambda: library.store.S3Store(
                name, prefix=prefix or None, config=settings, client_options=client_options(endpoint), retry_config=no_retries()
            ),
            address,
        )
        return Bucket(library, store, str(address), _listing(name, prefix, endpoint, settings))


def _check_key_pair() -> None:
    """Raise ``AddressError`` if the environment has only half of a key pair, which a store would refuse in words of its own."""
    pair = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    missing = [name for name in pair if not os.environ.get(name)]
    if len(missing) == 1:
        given = next(name for name in pair if name not in missing)
        raise AddressError(f"{given} is set, but {missing[0]} is not", hint="set both of them, or neither")


def _listing(bucket: str, prefix: str, endpoint: str, settings: Mapping[str, str]) -> KeyListing | None:
    """Return the store's own listing; ``None`` if it cannot be signed, or only obstore knows how to reach the store."""
    if any(os.environ.get(name) for name in _ONLY_OBSTORE) or getproxies():
        return None
    region = settings.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    is_unsigned = os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true")
    identity = settings.get("access_key_id") or os.environ.get("AWS_ACCESS_KEY_ID", "")
    secret = settings.get("secret_access_key") or os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    token = settings.get("session_token") or os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_TOKEN", "")
    if not is_unsigned and not (identity and secret):
        return None
    from pixmill.storage.object_store.s3_listing import S3Listing  # noqa: PLC0415  # only for those who list
    from pixmill.storage.object_store.signature import AccessKey  # noqa: PLC0415  # the same

    return S3Listing(
        endpoint=endpoint or f"https://s3.{region}.amazonaws.com",
        bucket=bucket,
        prefix=prefix,
        certificates=certificate_file(),
        access_key=None if is_unsigned else AccessKey(identity, secret, region, token),
    )
