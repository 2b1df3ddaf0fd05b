"""What the bitstreams of AV1 and HEVC share: numbers of any length, and the description of colours by ITU-T H.273."""

from typing import NamedTuple


class ColourConfig(NamedTuple):
    """Codes of H.273 (primaries, transfer, matrix), and whether samples use the full range."""

    codes: tuple[int, int, int]
    full_range: bool


class Bits:
    """Reads unsigned numbers, most significant bit first. Raises ``ValueError`` at the end."""

    def __init__(self, data: bytes) -> None:
        """Begin with the first bit of ``data``."""
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._offset = 0

    def read(self, count: int) -> int:
        """Return a number of ``count`` bits."""
        self._offset += count
        if self._offset > len(self._bits):
            raise ValueError("the bitstream is cut off")
        return int(self._bits[self._offset - count : self._offset], 2) if count else 0

    def skip_if(self, *counts: int) -> bool:
        """Read a flag; if it is set, skip the following numbers of these lengths. Return the flag."""
        is_set = bool(self.read(1))
        if is_set:
            self.read(sum(counts))
        return is_set

    def golomb(self) -> int:
        """Return a number by the exponential code of Golomb: as many zeros as digits follow the first 1."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def golombs(self, count: int) -> tuple[int, ...]:
        """Return ``count`` such numbers."""
        return tuple(self.golomb() for _ in range(count))
