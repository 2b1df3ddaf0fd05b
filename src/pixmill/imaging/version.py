"""The versions that determine output bytes besides source and recipe. Outside the pipeline, which a coordinator never loads."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

import pyvips

LIBVIPS = f"{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"

#: pixmill's own revision, which must be raised with every change that alters output bytes, and the version of libvips.
ENGINE = f"7 libvips-{LIBVIPS}"

#: The distributions that decode, resize and encode, including those of extras.
_LIBRARIES = (
    "pyvips",
    "pyvips-binary",
    "simplejpeg",
    "cykooz-resizer",
    "pillow",
    "numpy",
    "pi-heif-decoder",
    "pillow-heif",
    "pillow-jxl-plugin",
    "mozjpeg-lossless-optimization",
    "pyoxipng-ng",
)
_METADATA = (".dist-info", ".egg-info")  # the folders that hold the metadata of installed distributions


def libraries() -> dict[str, str]:
    """Return ``ENGINE`` and the versions of all libraries that process pixels; empty for those not installed."""
    installed = _installed()
    return {"engine": ENGINE, **{name: installed.get(name, "") for name in _LIBRARIES}}


def toolset() -> str:
    """Return the versions of all libraries that determine outputs, as text, such as ``pixmill 5, libvips 8.18.7, pillow 13.0.0``.

    ``pixmill`` is its own revision in ``ENGINE``.
    """
    return ", ".join(("pixmill " + ENGINE.replace(" libvips-", ", libvips "), *_named(libraries())))


def _named(versions: dict[str, str]) -> Iterator[str]:
    yield from (f"{name} {versions[name]}" for name in _LIBRARIES if versions[name])


def _installed() -> dict[str, str]:
    """Return the versions of the installed distributions from the names of their folders of metadata.

    ``importlib.metadata`` reads the files in them as well, which takes 20 ms at the start of every run.
    """
    versions: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError):
            for entry in os.listdir(folder or "."):  # noqa: PTH208  # names are enough
                if entry.endswith(_METADATA):
                    name, _, version = entry.rpartition(".")[0].partition("-")
                    versions.setdefault(name.replace("_", "-").lower(), version.partition("-")[0])
    return versions
