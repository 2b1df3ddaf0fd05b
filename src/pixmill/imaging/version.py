"""The versions that determine output bytes besides source and recipe. Outside the pipeline, which a coordinator never loads."""

import pyvips

#: pixmill's own revision, which must be raised with every change that alters output bytes, and the version of libvips.
ENGINE = f"2 libvips-{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"

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
)


def libraries() -> dict[str, str]:
    """Return ``ENGINE`` and the versions of all libraries that process pixels; empty for those not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # takes 20 ms, and only cluster runs need it

    versions = {"engine": ENGINE}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = ""
    return versions
