"""Real object stores on the loopback interface for tests, one process each: SeaweedFS for S3, Azurite for Azure.

As a program, with the arguments FOLDER and HOST, this module runs an S3 server on ``HOST`` until it is killed, for tests whose
hosts are network namespaces. It prints the environment variables for clients as one line of JSON.
"""

import base64
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

from support.ports import HOST, free_ports
from support.processes import wait_until

BUCKET = "photos"
# keys of a store that exists only for one test
_S3_KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "only-for-tests-0123456789"}
_PARTS = ("s3", "master", "volume", "filer", "admin")  # of SeaweedFS, each with a port and a second one 10,000 above
_ATTEMPTS = 3  # the server of another test may take a port between its choice and its use
_ACCOUNT, _ACCOUNT_KEY = "testaccount", base64.b64encode(b"only for tests, and nowhere else").decode()


def weed() -> str | None:
    """Return the path of SeaweedFS, ``None`` if it is not installed."""
    in_environment = Path(sys.executable).with_name("weed")
    return str(in_environment) if in_environment.exists() else shutil.which("weed")


def azurite() -> str | None:
    """Return the path of Azurite's blob server, ``None`` if it is not installed."""
    return shutil.which("azurite-blob") if shutil.which("node") else None


@contextmanager
def s3_server(folder: Path, *, host: str = HOST) -> Iterator[Mapping[str, str]]:
    """Run an S3 server with its files in ``folder`` and the bucket ``BUCKET``; yield the environment variables for its clients."""
    with _seaweed(folder, _S3_KEYS, host) as port:
        yield {**_S3_KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "us-east-1"}


@contextmanager
def open_s3_server(folder: Path) -> Iterator[int]:
    """Run an S3 server that requires no signatures; yield its port."""
    with _seaweed(folder, {}, HOST) as port:
        yield port


@contextmanager
def _seaweed(folder: Path, keys: Mapping[str, str], host: str) -> Iterator[int]:
    quiet = (
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
        "-s3.iam=false",
    )

    def command(*ports: int) -> Sequence[str]:
        options = [f"-{name}.port={port}" for name, port in zip(_PARTS, ports, strict=True)]
        return [str(weed()), "mini", f"-dir={folder}", f"-ip={host}", f"-ip.bind={host}", *quiet, *options]

    variables = {**dict.fromkeys(_S3_KEYS, ""), **keys, "S3_BUCKET": BUCKET}
    with _serving(command, len(_PARTS), variables, folder, host) as port:
        wait_until(lambda: _has_bucket(f"http://{host}:{port}", keys), seconds=60)
        yield port


@contextmanager
def az_server(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run an Azure server with its files in ``folder`` and the container ``BUCKET``; yield the environment for its clients."""

    def command(port: int) -> Sequence[str]:
        location = ("--blobHost", HOST, "--blobPort", str(port), "--location", str(folder))
        return [str(azurite()), *location, "--silent", "--skipApiVersionCheck"]

    with _serving(command, 1, {"AZURITE_ACCOUNTS": f"{_ACCOUNT}:{_ACCOUNT_KEY}"}, folder, HOST) as port:
        endpoint = f"http://{HOST}:{port}/{_ACCOUNT}"
        _make_container(f"{endpoint}/{BUCKET}", f"/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}")
        yield {
            "AZURE_STORAGE_CONNECTION_STRING": f"AccountName={_ACCOUNT};AccountKey={_ACCOUNT_KEY};BlobEndpoint={endpoint};",
        }


def _has_bucket(endpoint: str, keys: Mapping[str, str]) -> bool:
    """Return whether the bucket exists: the server creates it shortly after it starts to answer."""
    from obstore.store import S3Store  # noqa: PLC0415  # an extra that only this function needs

    store = S3Store(
        BUCKET,
        endpoint=endpoint,
        access_key_id=keys.get("AWS_ACCESS_KEY_ID", ""),
        secret_access_key=keys.get("AWS_SECRET_ACCESS_KEY", ""),
        skip_signature=not keys,
        client_options={"allow_http": True},
    )
    try:
        store.list_with_delimiter()
    except Exception:  # noqa: BLE001  # obstore raises its own
        return False
    return True


def _make_container(url: str, resource: str) -> None:
    """Create an Azure container with a signed request, because obstore has no call for it."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in headers.items()), resource, "restype:container"]
    signed = hmac.digest(base64.b64decode(_ACCOUNT_KEY), "\n".join(lines).encode(), "sha256")
    headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(signed).decode()}"
    request = urllib.request.Request(f"{url}?restype=container", method="PUT", headers=headers)  # the scheme is http
    urllib.request.urlopen(request, timeout=30).close()  # the same


@contextmanager
def _serving(
    command: Callable[..., Sequence[str]],
    ports: int,
    variables: Mapping[str, str],
    folder: Path,
    host: str,
) -> Iterator[int]:
    """Run ``command`` with ``ports`` free ports for the duration of the block; yield the first port once it answers."""
    log = folder.with_name(f"{folder.name}.log")
    folder.mkdir(exist_ok=True)
    for _ in range(_ATTEMPTS):
        port, *others = free_ports(ports)
        with _started(command(port, *others), variables, log, f"http://{host}:{port}") as answers:
            if answers:
                yield port
                return
    raise RuntimeError(f"no server at {host}: {log.read_text('utf-8', 'replace')[-2000:]}")


@contextmanager
def _started(command: Sequence[str], variables: Mapping[str, str], log: Path, url: str) -> Iterator[bool]:
    """Run ``command`` for the duration of the block; enter it once ``url`` answers or the command has ended, and yield which."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=output, stderr=output)  # a test's own
    try:
        wait_until(lambda: process.poll() is not None or _answers(url), seconds=60)
        yield process.poll() is None
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()  # the scheme is http
    except urllib.error.HTTPError as error:
        error.close()
        return error.code != 503  # started, but not ready yet
    except OSError:
        return False
    return True


if __name__ == "__main__":
    with s3_server(Path(sys.argv[1]), host=sys.argv[2]) as found:
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        signal.pause()
