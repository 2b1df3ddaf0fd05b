"""What a node is asked, what it answers, and how it finds out. The coordinator looks at SRC and software in the same way."""

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

HEAD = 4096  # bytes of a sample that are compared
MAX_SAMPLE_BYTES = 1024  # bytes of the files that coordinator and node write for each other
DEADLINE = 10.0  # seconds of patience with one request; the coordinator waits a minute for the whole answer
MISSING = "is not there"


class ProbeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a node is to look at.

    ``mark`` is a file of the coordinator's in DST; ``samples`` are entries of SRC, by what their storage finds them by; ``files``
    are those that steps name; ``modules`` are the Python modules of plugins and steps.
    """

    source: str
    destination: str
    tag: str
    follow_symlinks: bool
    mark: bytes
    samples: tuple[bytes, ...] = ()
    files: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing as it looks from here: equal states are equal things. ``trouble`` says why nothing is to be seen."""

    state: str = ""
    error: str = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What must look the same from everywhere: SRC itself, then samples, files and modules in the order of the question."""

    source: Observation
    samples: tuple[Observation, ...]
    files: tuple[Observation, ...]
    modules: tuple[Observation, ...]
    libraries: dict[str, str]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: what ``mark`` says, the name of the file with the same content that the node has put beside it, and the rest."""

    mark: Observation
    reply: bytes
    surroundings: Environment


def answer(options: bytes) -> bytes:
    """Return the packed ``Evidence`` for a packed ``Question``: the function that a node calls."""
    question = msgspec.msgpack.decode(options, type=ProbeQuestion)
    mark, reply = _exchange(question)
    return msgspec.msgpack.encode(Evidence(mark=mark, reply=reply, surroundings=look(question)))


def look(question: ProbeQuestion) -> Environment:
    """Return what is to be seen from this machine."""
    from pixmill.imaging.version import libraries  # noqa: PLC0415  # libvips, for which a store need not wait

    return Environment(
        source=_root(Address.parse(question.source)),
        samples=tuple(_samples(question)),
        files=tuple(map(_file, question.files)),
        modules=tuple(map(_module, question.modules)),
        libraries=libraries(),
    )


def open_briefly(address: str, *, tag: str = "0", follow_symlinks: bool = False) -> Storage:
    """Return the storage at ``address``, with little patience."""
    return open_with_retries(
        Address.parse(address), tag=tag, follow_symlinks=follow_symlinks, policy=RetryPolicy(deadline=DEADLINE)
    )


def _exchange(question: ProbeQuestion) -> tuple[Observation, bytes]:
    """Read the coordinator's file in DST and, only where it is there, write the same beside it."""
    reply = question.mark + b"-" + secrets.token_hex(8).encode()
    try:
        storage = open_briefly(question.destination, tag=question.tag)
        content = storage.read(question.mark, limit=MAX_SAMPLE_BYTES)
        storage.write(reply, content, durable=False)
    except PixmillError as error:
        return Observation(error=error.message), b""
    return Observation(content.decode("ascii", "replace")), reply


def _root(source: Address) -> Observation:
    """Tell whether SRC is there, where it is a folder of a file system; of anything else the samples tell."""
    if source.local is None or source.local.is_dir():
        return Observation("there")
    return Observation(error=MISSING)


def _samples(question: ProbeQuestion) -> Iterator[Observation]:
    try:
        storage = open_briefly(question.source, follow_symlinks=question.follow_symlinks)
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
        begins = blake2b(storage.head(path, HEAD), digest_size=8).hexdigest()
    except PixmillError as error:
        return Observation(error=error.message)
    return Observation(f"{entry.size} {entry.version!r} {begins}")


def _file(name: str) -> Observation:
    try:
        return Observation(blake2b(Path(name).read_bytes(), digest_size=16).hexdigest())
    except (FileNotFoundError, NotADirectoryError):
        return Observation(error=MISSING)
    except OSError as error:
        return Observation(error=f"it cannot be read: {error.strerror}")


def _module(name: str) -> Observation:
    """Tell the version and the content of a module without importing it: it may do anything then."""
    parts, places, origin = name.split("."), None, None
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), places)
        if spec is None:
            return Observation(error="it is not installed")
        places, origin = spec.submodule_search_locations, spec.origin
    content = b""
    with suppress(OSError):
        content = Path(origin).read_bytes() if origin else b""
    return Observation(f"{_version_of(parts[0])} {blake2b(content, digest_size=16).hexdigest()}".strip())


def _version_of(package: str) -> str:
    """Return the version of the plugin that ``package`` belongs to, empty where it belongs to none."""
    for distribution in metadata.distributions():
        plugins = (point for point in distribution.entry_points if point.group.startswith("pixmill."))
        if any(point.module.partition(".")[0] == package for point in plugins):
            return distribution.version
    return ""
