"""The scenarios, read from ``scenarios.toml``."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

MANY = 1_000


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A goal: ``who`` is ``times`` as fast as the peer ``than``, or uses that many times less memory."""

    than: str
    times: float
    who: str = "pixmill"
    measure: Literal["rate", "memory"] = "rate"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measurement. ``boxes`` are the outputs of a source, each given by the width and height that it must fit within.

    ``slow`` is the number of files for peers that would take minutes. ``also`` names special peers that this scenario includes;
    ``peers``, if set, limits the scenario to these peers. ``goals`` are shown next to the results.
    """

    name: str
    title: str
    images: Literal["photographs", "drawings", "tiny", "huge"]
    files: int
    slow: int
    boxes: tuple[tuple[int, int], ...]
    format: str
    quality: int = 0
    mode: Literal["fresh", "again"] = "fresh"
    also: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()

    def quick(self) -> "Scenario":
        """Return the scenario with a quarter of the files, or a twentieth if there are a thousand or more."""
        share = 20 if self.files >= MANY else 4
        smaller = {"files": max(1, self.files // share), "slow": max(1, self.slow // share)}
        return msgspec.structs.replace(self, **smaller)


def scenarios() -> tuple[Scenario, ...]:
    """Return all scenarios, in order."""
    data = tomllib.loads(Path(__file__).with_name("scenarios.toml").read_text("utf-8"))
    return msgspec.convert(data["scenario"], tuple[Scenario, ...])
