"""How amounts are written for people."""

BYTE_STEPS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
MINUTE = 60
HOUR = 3600
SHORT = 10


def byte_count(amount: float) -> str:
    """Return ``812.4 MB`` for a number of bytes, decimal; a sign stays."""
    for factor, unit in BYTE_STEPS:
        if abs(amount) >= factor:
            return f"{amount / factor:.1f} {unit}"
    return f"{amount:.0f} B"


def duration_text(seconds: float) -> str:
    """Return ``4.2 s``, ``1:34`` or ``2:05:00`` for a length of time."""
    if seconds < SHORT:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    hours, minutes = divmod(whole // MINUTE, MINUTE)
    return f"{hours}:{minutes:02}:{whole % MINUTE:02}" if hours else f"{minutes}:{whole % MINUTE:02}"


def plural(number: int, noun: str) -> str:
    """Return ``1 image``, ``2,000 images``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
