"""Where the images of an output came from, and whether they are still there, by the keys of the ledger."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pixmill.batch.planning.plan import Plan
from pixmill.batch.pruning.past_runs import PastRuns
from pixmill.batch.pruning.presence import EMPTY, UNREADABLE, Listed, ListedPaths, Presence, listed
from pixmill.batch.source import Row
from pixmill.core.errors import ImageError
from pixmill.core.humanize import plural
from pixmill.core.text import printable

MAX_FOLDERS = 3  # named in one sentence


class Origin:
    """The images whose keys begin with ``prefix``: those of one source, wherever it has been.

    ``contents`` says what is there; of several places, an image must be gone from all. ``obstacle`` says why nothing can be told,
    instead. ``is_of_list``: a list says what is wanted, and ``contents`` has whole keys.
    """

    def __init__(
        self, prefix: bytes, contents: Sequence[Listed] = (), *, obstacle: str = "", is_lost: bool = False, is_of_list: bool = False
    ) -> None:
        """Read nothing yet. ``obstacle`` completes a sentence after the number of images; ``is_lost``: the source is missing."""
        self.prefix = prefix
        self.contents = tuple(contents)
        self.is_of_list = is_of_list
        self.unknown = 0
        self._obstacle = obstacle
        self._is_lost = is_lost

    def look(self, key: bytes) -> Presence:
        """Return whether the image with this ``key`` is there."""
        seen = Presence.UNKNOWN if self._obstacle else self._look(key)
        self.unknown += seen is Presence.UNKNOWN
        return seen

    @property
    def is_unreachable(self) -> bool:
        """Tell whether the source as a whole is missing, empty or not readable."""
        return self._is_lost if self._obstacle else all(b"" in content.unlisted for content in self.contents)

    def _look(self, key: bytes) -> Presence:
        found = {content.look(key if self.is_of_list else key[len(self.prefix) :]) for content in self.contents}
        if Presence.THERE in found or not found:
            return Presence.THERE if found else Presence.UNKNOWN
        return Presence.UNKNOWN if Presence.UNKNOWN in found else Presence.GONE

    def remarks(self) -> Iterator[str]:
        """Yield why nothing can be told about some of the images, if that is so."""
        if not self.unknown:
            return
        images = plural(self.unknown, "image")
        if self._obstacle:
            yield f"{images} {self._obstacle}"
            return
        for kind, meaning in ((EMPTY, "empty, as if a disk were not mounted"), (UNREADABLE, "not readable as a whole")):
            folders = [
                printable(b"/".join(filter(None, (content.place, folder))))
                for content in self.contents
                for folder, why in content.unlisted.items()
                if why == kind
            ]
            if folders:
                shown = ", ".join(folders[:MAX_FOLDERS])
                more = f" and {len(folders) - MAX_FOLDERS:,} more" if len(folders) > MAX_FOLDERS else ""
                verb = "is" if len(folders) == 1 else "are"
                yield f"{images} may still exist: {shown}{more} {verb} {meaning}"


class Origins:
    """Finds the origin of each key among ``origins``."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        """Sort them, longest prefix first."""
        self.all = sorted(origins, key=lambda origin: len(origin.prefix), reverse=True)

    def of(self, key: bytes) -> Origin | None:
        """Return the origin of ``key``; ``None`` if that is not among them."""
        return next((origin for origin in self.all if key.startswith(origin.prefix)), None)

    def look(self, origin: Origin, key: bytes) -> Presence:
        """Return whether the image with ``key``, of ``origin``, is there."""
        seen = origin.look(key)
        first = self.all[-1]
        is_ambiguous = origin.prefix and not origin.prefix.startswith(b"/") and b":/" not in origin.prefix
        if seen is Presence.GONE and is_ambiguous and not first.prefix:  # a folder of the first source may have the same name
            return first.look(key)
        return seen

    @property
    def has_foreign_list(self) -> bool:
        """Tell whether images were looked up in a list that names none of them."""
        contents = [content for origin in self.all for content in origin.contents if origin.is_of_list]
        return any(isinstance(each, ListedPaths) and each.is_read and not each.found and not each.unlisted for each in contents)


def find_origins(past: PastRuns, prefixes: Mapping[bytes, bytes], *, was_shared: bool) -> Origins:
    """Return an origin for each of the ``prefixes``, which are by place.

    ``was_shared``: sources that differ may have the same prefix, as in version 1.
    """
    return Origins(_origin(prefix, past, prefixes, was_shared=was_shared) for prefix in set(prefixes.values()))


def _origin(prefix: bytes, past: PastRuns, prefixes: Mapping[bytes, bytes], *, was_shared: bool) -> Origin:
    sources = [source for source in past.sources if any(prefixes.get(place) == prefix for place in source.places)]
    present = {source.places: source.source for source in sources if source.source is not None and not source.is_list}
    missing = [source for source in sources if source.source is None and not source.is_list]
    if was_shared and any(source.is_list for source in sources):
        return Origin(prefix, obstacle="may come from a list or the web; name the list to remove those that are not in it")
    if missing and (was_shared or not present):
        return Origin(prefix, obstacle=f"may still exist: {printable(missing[0].text)} cannot be found", is_lost=True)
    if present:
        return Origin(prefix, [listed(source) for source in present.values()])
    if any(source.is_list for source in past.sources):
        return Origin(prefix, obstacle="come from a list or the web; name the list to remove those that are not in it")
    place = next(place for place, its_prefix in prefixes.items() if its_prefix == prefix)
    return Origin(prefix, obstacle=f"may still exist: no run leads to {printable(place)} any more", is_lost=True)


def with_list(origins: Origins, plan: Plan, past: PastRuns) -> Origins:
    """Return ``origins`` with those of the list that ``plan`` reads, except folders that have been run as such."""
    source, keys = plan.locations.source, plan.source_keys
    folders = {keys.prefixes[place] for each in past.sources if not each.is_list for place in each.places if place in keys.prefixes}

    def read(unlisted: dict[bytes, str]) -> Iterator[bytes]:
        def failed(path: bytes, error: ImageError) -> None:  # a row that names no image: which one it was is not known
            del path, error
            unlisted[b""] = UNREADABLE

        for entries in source.folders(failed):
            yield from (plan.key(entry.path, entry.locator) for entry in entries if isinstance(entry, Row))

    content = ListedPaths(read, os.fsencode(plan.config.source_text))
    listed_here = {keys.prefixes[place] for place in source.places} - folders
    by_list = [Origin(prefix, [content], is_of_list=True) for prefix in listed_here]
    return Origins([*by_list, *(origin for origin in origins.all if origin.prefix not in listed_here)])
