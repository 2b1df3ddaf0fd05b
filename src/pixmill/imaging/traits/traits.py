"""``Traits``: what an index says about a picture. Imports little, since every command reads the ledger."""

import msgspec


class Traits(msgspec.Struct, frozen=True, array_like=True):
    """How a picture looks, and when it was taken.

    ``thumbhash``: in base64, as web pages use it. ``dominant_color``: ``#rrggbb``, empty if the picture is transparent. ``dhash``:
    16 hexadecimal digits. ``captured_at``: by the clock of the camera, such as ``2024-05-17T10:11:12``; empty if the source does
    not say it.
    """

    thumbhash: str
    dominant_color: str
    dhash: str
    captured_at: str = ""
