"""The runs that the ledgers of an output record: the sources they read, and whether the last one asked for all of its source."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from pixmill.batch.config.models import Selection
from pixmill.batch.source import Source, SourceRequest, open_source, place_of
from pixmill.batch.sources.archive import Archive
from pixmill.batch.sources.directory import Directory
from pixmill.batch.sources.manifest import Manifest
from pixmill.batch.state.stored_config import STANDARD_INPUT
from pixmill.core.errors import PixmillError
from pixmill.engine.ledger import FINISHED, LedgerView, RunRecord
from pixmill.imaging.formats import extensions
from pixmill.storage.address import Address
from pixmill.storage.local.inodes import real, real_holder

#: options of a selection that leave no image out that another run would process
_NEUTRAL = frozenset(
    (
        "all_files",
        "follow_symlinks",
        "source_id",
        "max_source_bytes",
        "shard",
        "column",
        "per_host",
        "host_rate",
        "read_timeout",
        "allow_private_hosts",
        "web_only",
    )
)


class PastSource(msgspec.Struct, frozen=True):
    """A source of an earlier run: its address as ``text``, and the ``places`` that its images are in.

    ``source`` is ``None`` if there is nothing any more, or for standard input.
    """

    text: str
    places: tuple[bytes, ...]
    source: Source | None = None

    @property
    def is_list(self) -> bool:
        """Tell whether it is a list, which only names what it wants and says nothing about what there is."""
        return self.text == STANDARD_INPUT or isinstance(self.source, Manifest)

    @property
    def is_whole(self) -> bool:
        """Tell whether a run of it processes all that is in its place: not a single file or URL."""
        if isinstance(self.source, Directory):
            return place_of(Address.parse(self.text)) in self.places
        return isinstance(self.source, Archive) or (self.is_list and Address.parse(self.text).scheme == "file")


class PastRuns:
    """The runs of ``ledgers``. ``prefixes`` are those of the keys of each place."""

    def __init__(self, ledgers: Sequence[LedgerView], prefixes: Mapping[bytes, bytes]) -> None:
        """Read the runs."""
        self._runs = [list(ledger.runs()) for ledger in ledgers]
        self._prefixes = prefixes
        self._opened: dict[tuple[str, bool], PastSource] = {}

    @cached_property
    def sources(self) -> list[PastSource]:
        """Return every source once."""
        for runs in self._runs:
            for run in runs:
                list(self._sources_of(run))
        return list(self._opened.values())

    @cached_property
    def whole(self) -> list[dict[bytes, bool]]:
        """Return for each ledger, by prefix, whether the last run of that source finished and left nothing out."""
        return [dict(self._last_runs(runs)) for runs in self._runs]

    def _last_runs(self, runs: Sequence[RunRecord]) -> Iterator[tuple[bytes, bool]]:
        for run in runs:  # oldest first: later ones win
            sources = list(self._sources_of(run))
            is_whole = run.reason == FINISHED and not _leaves_out(run) and all(source.is_whole for source in sources)
            for source in sources:
                yield from ((self._prefixes[place], is_whole) for place in source.places if place in self._prefixes)

    def _sources_of(self, run: RunRecord) -> Iterator[PastSource]:
        config = _config(run)
        given = config.get("source", "")
        follow = bool(_selection(config).get("follow_symlinks"))
        for text in [given] if isinstance(given, str) else given:
            if text and (text, follow) not in self._opened:
                self._opened[text, follow] = self._open(text, follow=follow)
            if text:
                yield self._opened[text, follow]

    def _open(self, text: str, *, follow: bool) -> PastSource:
        if text == STANDARD_INPUT:
            return PastSource(text, tuple(place for place in self._prefixes if place.endswith(b"/")))
        try:
            address = Address.parse(text)
            source = open_source(SourceRequest(address=address, selection=Selection(follow_symlinks=follow)))
        except PixmillError:
            return self._open_missing(text, follow=follow)
        return PastSource(text, source.places, source)

    def _open_missing(self, text: str, *, follow: bool) -> PastSource:
        """Return a source that cannot be opened; for a single image that is gone, the folder that it was in."""
        try:
            address = Address.parse(text)
        except PixmillError:
            return PastSource(text, ())
        if address.local is None:
            path = unquote_to_bytes(address.location)
            place = address.scheme.encode() + b"://" + real(path) if address.scheme in ("tar", "zip") else place_of(address)
            return PastSource(text, (place,))
        place, folder = real(address.location), real_holder(address.location)
        is_image = address.local.suffix.lower().removeprefix(".") in extensions()
        if is_image and place not in self._prefixes and folder in self._prefixes and os.path.isdir(folder):  # noqa: PTH112  # bytes
            request = SourceRequest(address=Address.parse(Path(os.fsdecode(folder))), selection=Selection(follow_symlinks=follow))
            return PastSource(text, (folder,), open_source(request))
        return PastSource(text, (place, b"tar://" + place, b"zip://" + place))


def _config(run: RunRecord) -> dict[str, Any]:
    try:
        config = json.loads(run.metadata)
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


def _selection(config: Mapping[str, Any]) -> dict[str, Any]:
    selection = config.get("selection")
    return selection if isinstance(selection, dict) else {}


def _leaves_out(run: RunRecord) -> bool:
    """Tell whether the selection of ``run`` may leave out images, by an option known or unknown."""
    defaults = Selection().to_builtins()
    selection = _selection(_config(run))
    return any(value and value != defaults.get(name) for name, value in selection.items() if name not in _NEUTRAL)
