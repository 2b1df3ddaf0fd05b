"""Follow the Huffman codes of a sequential JPEG, to tell bytes that were put behind a scan from pixels that damage has displaced.

A decoder stops when it has all blocks, and reports what is left as superfluous. After damage, something is left as well, because
the codes that follow it are read differently: some blocks take fewer bits. But then runs of zeros end beyond the last
coefficient of a block, codes turn up that the table does not have, or what is left goes on as whole blocks.

This takes about a second per megabyte, and only for files with something left behind a scan. Source: ITU-T T.81, annex F.2.
"""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple, Self

DEFINE_TABLES, DEFINE_INTERVAL = 0xC4, 0xDD
RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
MAX_BYTES = 8_000_000  # of a scan that is followed
PEEK_BITS, PEEK_MASK, REFILL_BYTES, BYTE_BITS = 16, 0xFFFF, 4, 8
REFILL_BITS = REFILL_BYTES * BYTE_BITS
LAST_COEFFICIENT, BLOCK_SIDE = 63, 8
LONG_RUN = 0xF0  # sixteen zeros
Lookup = list[int]


class Tables:
    """The Huffman tables at some place in a file, by class (0 for DC, 1 for AC) and number; and the restart interval."""

    def __init__(self) -> None:
        """Start without tables."""
        self.restart_interval = 0
        self._lookups: dict[int, Lookup] = {}

    def define(self, segment: bytes) -> None:
        """Take what a segment with its marker defines: tables (DHT), as far as they are complete, or the interval (DRI)."""
        if segment[1] == DEFINE_INTERVAL:
            self.restart_interval = int.from_bytes(segment[4:6])
        offset = 4 if segment[1] == DEFINE_TABLES else len(segment)
        while offset + 17 <= len(segment):
            counts = segment[offset + 1 : offset + 17]
            symbols = segment[offset + 17 : offset + 17 + sum(counts)]
            if len(symbols) < sum(counts):
                return
            self._lookups[segment[offset]] = _lookup(counts, symbols)
            offset += 17 + sum(counts)

    def of(self, selector: int) -> tuple[Lookup, Lookup]:
        """Return the tables of a channel of a scan. Raise ``KeyError`` if they are not defined."""
        return self._lookups[selector >> 4], self._lookups[0x10 | selector & 15]


class Arrangement(NamedTuple):
    """How a scan is arranged: the number of its units, and for each block of a unit, in order, the selector of its tables."""

    units: int
    blocks: tuple[int, ...]

    @classmethod
    def of(cls, frame: bytes, scan: bytes) -> Self:
        """Return the arrangement for the segments of a frame and a scan; one without units if they contradict each other."""
        height, width, count = int.from_bytes(frame[5:7]), int.from_bytes(frame[7:9]), frame[9]
        factors = {frame[at]: (frame[at + 1] >> 4, frame[at + 1] & 15) for at in range(10, min(10 + 3 * count, len(frame) - 2), 3)}
        chosen = [(scan[at], scan[at + 1]) for at in range(5, min(5 + 2 * scan[4], len(scan) - 1), 2)]
        if not chosen or not factors or not all(all(factors.get(name, (0, 0))) for name, _ in chosen):
            return cls(0, ())
        most_across, most_down = (max(each[side] for each in factors.values()) for side in (0, 1))
        if len(chosen) == 1:
            across, down = factors[chosen[0][0]]
            columns = _up(_up(width * across, most_across), BLOCK_SIDE)
            return cls(columns * _up(_up(height * down, most_down), BLOCK_SIDE), (chosen[0][1],))
        units = _up(width, BLOCK_SIDE * most_across) * _up(height, BLOCK_SIDE * most_down)
        blocks = tuple(tables for name, tables in chosen for _ in range(factors[name][0] * factors[name][1]))
        return cls(units, blocks)


def without_leftover(pixels: bytes, frame: Arrangement, tables: Tables) -> bytes:
    """Return the coded ``pixels`` of a scan without the bytes behind its last unit; unchanged if they may belong to it."""
    *complete, last = RESTART.split(pixels)
    units = tables.restart_interval or frame.units
    remaining = frame.units - units * len(complete)
    if len(pixels) > MAX_BYTES or not 0 < remaining <= units:
        return pixels
    plain = last.replace(b"\xff\0", b"\xff")
    try:
        blocks = [tables.of(selector) for selector in frame.blocks]
        for interval in complete:
            _end(interval.replace(b"\xff\0", b"\xff"), 0, blocks, units)
        end = _end(plain, 0, blocks, remaining)
    except (KeyError, ValueError):
        return pixels
    used = _up(end, BYTE_BITS)
    padding, leftover = _bits(plain, end, used * BYTE_BITS), plain[used:]
    is_constant = not leftover.strip(leftover[:1])
    if (padding.strip("1") and padding.strip("0")) or not (is_constant or not _goes_on(plain, end, blocks)):
        return pixels
    return pixels[: len(pixels) - len(last)] + plain[:used].replace(b"\xff", b"\xff\0")


def _goes_on(data: bytes, start: int, blocks: Sequence[tuple[Lookup, Lookup]]) -> bool:
    """Return whether whole units and the usual padding follow from the bit ``start`` to the end of ``data``."""
    size, last = len(data) * BYTE_BITS, max(start, (len(data) - 1) * BYTE_BITS + 1)
    while start < last:
        try:
            start = _end(data, start, blocks, 1)
        except ValueError:
            return False
    return start <= size and not _bits(data, start, size).strip("1")


def _bits(data: bytes, start: int, end: int) -> str:
    """Return the bits of ``data`` from ``start`` to ``end`` as digits; they lie in one byte."""
    return f"{data[start // BYTE_BITS]:08b}"[start % BYTE_BITS : start % BYTE_BITS + end - start] if start < end else ""


def _end(data: bytes, start: int, blocks: Sequence[tuple[Lookup, Lookup]], units: int) -> int:
    """Return the bit behind ``units`` units from the bit ``start`` on. Raise ``ValueError`` if the codes cannot be meant.

    ``bits`` holds those that were read from ``data``, of which the last ``count`` are still to come.
    """
    at = start // BYTE_BITS
    bits, count = 0, 0
    skipped = start % BYTE_BITS
    for _ in range(units):
        for first, others in blocks:
            position, lookup = 0, first
            while position <= LAST_COEFFICIENT:
                if count < REFILL_BITS:  # enough for the longest code and its number
                    taken = data[at : at + REFILL_BYTES].ljust(REFILL_BYTES, b"\xff")
                    bits = (bits & (1 << count) - 1) << REFILL_BITS | int.from_bytes(taken)
                    at += REFILL_BYTES
                    count += REFILL_BITS - skipped
                    skipped = 0
                    continue
                code = lookup[bits >> count - PEEK_BITS & PEEK_MASK]
                if not code:
                    raise ValueError
                count -= (code >> 8) + (code & 15)
                if not position:
                    position, lookup = 1, others
                elif code & 15 or code & 0xFF == LONG_RUN:
                    position += (code >> 4 & 15) + 1
                else:
                    break
            if position > LAST_COEFFICIENT + 1:
                raise ValueError
    end = at * BYTE_BITS - count
    if end > len(data) * BYTE_BITS:
        raise ValueError
    return end


def _lookup(counts: bytes, symbols: bytes) -> Lookup:
    """Return the length of the code and the symbol for each sixteen bits that begin with a code; 0 for those that do not."""
    table: Lookup = []
    remaining = iter(symbols)
    for length, count in enumerate(counts, 1):
        for symbol in itertools.islice(remaining, count):
            table += [length << 8 | symbol] * (1 << PEEK_BITS - length)
    return (table + [0] * (1 << PEEK_BITS))[: 1 << PEEK_BITS]


def _up(number: int, divisor: int) -> int:
    return -(-number // divisor)
