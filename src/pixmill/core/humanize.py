"""Format amounts for people: bytes, durations, counts."""

BYTE_STEPS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
MINUTE = 60
HOUR = 3600
SHORT = 10


def byte_count(amount: float) -> str:
    """Return a number of bytes in decimal units, such as ``812.4 MB``; a minus sign is kept."""
    for factor, unit in BYTE_STEPS:
        if abs(amount) >= factor:
            return f"{amount / factor:.1f} {unit}"
    return f"{amount:.0f} B"


def duration_text(seconds: float) -> str:
    """Return a length of time in seconds as ``4.2 s``, ``1:34`` or ``2:05:00``."""
    if seconds < SHORT:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    rounded = round(seconds)
    hours, minutes = divmod(rounded // MINUTE, MINUTE)
    return f"{hours}:{minutes:02}:{rounded % MINUTE:02}" if hours else f"{minutes}:{rounded % MINUTE:02}"


def plural(number: int, noun: str) -> str:
    """Return ``1 image``, ``2,000 images``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
