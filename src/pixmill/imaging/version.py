"""What decides the bytes of an output besides source and recipe. Apart from the pipeline, which a coordinator never loads."""

import pyvips

#: Our own revision, to be raised with every change that alters bytes, and the library's version.
ENGINE = f"2 libvips-{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"

#: The distributions that decode, resize and encode, those of extras among them.
_LIBRARIES = ("pyvips", "pyvips-binary", "simplejpeg", "cykooz-resizer", "pillow", "numpy", "pillow-heif", "pillow-jxl-plugin")


def libraries() -> dict[str, str]:
    """Return ``ENGINE``, and the versions of all libraries that touch pixels, empty for one that is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # 20 ms that only runs on a cluster need pay

    found = {"engine": ENGINE}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
