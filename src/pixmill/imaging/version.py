"""What decides the bytes of an output besides source and recipe. Apart from the pipeline, which a coordinator never loads."""

import pyvips

#: Our own revision, to be raised with every change that alters bytes, and the library's version.
ENGINE = f"2 libvips-{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"
