"""The node's side of node admission: question and evidence. The coordinator observes SRC and software with the same code."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

import msgspec

from pixmill.core.errors import PixmillError
from pixmill.storage.address import Address
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.retry.storage import open_with_retries
from pixmill.storage.storage import Storage

SAMPLE_HEAD_BYTES = 4096  # bytes of a sample that are compared
MAX_SAMPLE_BYTES = 1024  # of the files that coordinator and node write for each other
REQUEST_DEADLINE = 10.0  # seconds per request, retries included; the coordinator waits a minute for the whole answer
MISSING = "does not exist"


class ProbeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a node has to check.

    ``probe_file`` is a file that the coordinator wrote to DST; ``samples`` are the locators of entries of SRC; ``files`` are those
    that steps use; ``modules`` are the Python modules of plugins and steps.
    """

    source: str
    destination: str
    tag: str
    follow_symlinks: bool
    probe_file: bytes
    samples: tuple[bytes, ...] = ()
    files: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object as seen from this machine: equal states mean equal objects. ``error`` says why it could not be read."""

    state: str = ""
    error: str = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What must be the same on all machines: SRC, then samples, files and modules in the order of the question, and libraries."""

    source: Observation
    samples: tuple[Observation, ...]
    files: tuple[Observation, ...]
    modules: tuple[Observation, ...]
    libraries: dict[str, str]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the content of ``probe_file``, the name of the node's own file with the same content, and the environment."""

    probe_file: Observation
    reply: bytes
    environment: Environment


def answer(options: bytes) -> bytes:
    """Return the encoded ``Evidence`` for an encoded ``ProbeQuestion``; the function that a node calls."""
    question = msgspec.msgpack.decode(options, type=ProbeQuestion)
    mark, reply = _exchange(question)
    return msgspec.msgpack.encode(Evidence(probe_file=mark, reply=reply, environment=observe(question)))


def observe(question: ProbeQuestion) -> Environment:
    """Return the environment as seen from this machine."""
    from pixmill.imaging.version import libraries  # noqa: PLC0415  # imports libvips, which takes long

    return Environment(
        source=_root(Address.parse(question.source)),
        samples=tuple(_samples(question)),
        files=tuple(map(_file, question.files)),
        modules=tuple(map(_module, question.modules)),
        libraries=libraries(),
    )


def open_with_deadline(address: str, *, tag: str = "0", follow_symlinks: bool = False) -> Storage:
    """Return the storage at ``address``, with a short deadline for each request."""
    return open_with_retries(
        Address.parse(address), tag=tag, follow_symlinks=follow_symlinks, policy=RetryPolicy(deadline=REQUEST_DEADLINE)
    )


def _exchange(question: ProbeQuestion) -> tuple[Observation, bytes]:
    """Read the coordinator's file in DST and, only if it exists, write a file with the same content next to it."""
    reply = question.probe_file + b"-" + secrets.token_hex(8).encode()
    try:
        storage = open_with_deadline(question.destination, tag=question.tag)
        content = storage.read(question.probe_file, limit=MAX_SAMPLE_BYTES)
        storage.write(reply, content, durable=False)
    except PixmillError as error:
        return Observation(error=error.message), b""
    return Observation(content.decode("ascii", "replace")), reply


def _root(source: Address) -> Observation:
    """Tell whether SRC exists, if it is a local folder; for other sources the samples show it."""
    if source.local is None or source.local.is_dir():
        return Observation("there")
    return Observation(error=MISSING)


def _samples(question: ProbeQuestion) -> Iterator[Observation]:
    try:
        storage = open_with_deadline(question.source, follow_symlinks=question.follow_symlinks)
    except PixmillError as error:
        yield from [Observation(error=error.message)] * len(question.samples)
        return
    for path in question.samples:
        yield _sample(storage, path)


def _sample(storage: Storage, path: bytes) -> Observation:
    try:
        entry = storage.stat(path)
        if entry is None:
            return Observation(error=MISSING)
        digest = blake2b(storage.head(path, SAMPLE_HEAD_BYTES), digest_size=8).hexdigest()
    except PixmillError as error:
        return Observation(error=error.message)
    return Observation(f"{entry.size} {entry.version!r} {digest}")


def _file(name: str) -> Observation:
    try:
        return Observation(blake2b(Path(name).read_bytes(), digest_size=16).hexdigest())
    except (FileNotFoundError, NotADirectoryError):
        return Observation(error=MISSING)
    except OSError as error:
        return Observation(error=f"it cannot be read: {error.strerror}")


def _module(name: str) -> Observation:
    """Return the version and the digest of a module without importing it, since importing runs its code."""
    parts, search_path, origin = name.split("."), None, None
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), search_path)
        if spec is None:
            return Observation(error="it is not installed")
        search_path, origin = spec.submodule_search_locations, spec.origin
    content = b""
    with suppress(OSError):
        content = Path(origin).read_bytes() if origin else b""
    return Observation(f"{_version_of(parts[0])} {blake2b(content, digest_size=16).hexdigest()}".strip())


def _version_of(package: str) -> str:
    """Return the version of the plugin that ``package`` belongs to; empty if it belongs to none."""
    for distribution in metadata.distributions():
        plugins = (point for point in distribution.entry_points if point.group.startswith("pixmill."))
        if any(point.module.partition(".")[0] == package for point in plugins):
            return distribution.version
    return ""
