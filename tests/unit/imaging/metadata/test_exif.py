"""Blocks of EXIF are filtered without moving or changing what stays."""

import pytest
from PIL import Image

from pixmill.imaging.metadata import directory, exif
from pixmill.imaging.metadata.blocks import resolution
from pixmill.imaging.metadata.containers import jpeg
from support.maker_note_files import nikon, photograph, sony

ARTIST, MAKER_NOTE, TAKEN = 0x013B, 0x927C, 0x9003


def block(**kinds):
    picture = Image.Exif()
    picture.endian = kinds.pop("order", "<")
    picture[ARTIST], picture[0x0112], picture[0x010F] = "Ada", 6, "Maker"
    picture.get_ifd(0x8769).update({TAKEN: "2020:01:02 03:04:05", 0xA002: 4000, 0x9286: b"secret comment"})
    picture.get_ifd(0x8825).update({0: b"\2\3\0\0", 1: "N", 2: (55.0, 43.0, 52.0)})
    return picture.tobytes().removeprefix(b"Exif\0\0")


def values(data):
    return {
        (key, entry.tag): entry.value
        for key, each in exif.read(data).items()
        for entry in each.entries
        if entry.tag not in exif.CHILDREN
    }


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_stays_keeps_its_bytes_and_the_rest_is_gone(order):
    data = block(order=order)
    kept = exif.filtered(data, lambda _, entry: entry.tag in (ARTIST, TAKEN))
    assert values(kept) == {key: value for key, value in values(data).items() if key[1] in (ARTIST, TAKEN)}
    assert b"secret" not in kept
    assert len(kept) < len(data)


def test_all_of_it_survives_being_written_again():
    data = block()
    assert values(exif.filtered(data, lambda *_: True)) == values(data)


def test_nothing_is_left_if_nothing_may_stay():
    assert exif.filtered(block(), lambda *_: False) == b""
    assert exif.filtered(b"no EXIF", lambda *_: True) == b""


@pytest.mark.parametrize(("note", "order"), [(nikon, ">"), (sony, "<")])
def test_nothing_moves_beside_a_maker_note_and_what_is_freed_is_zero(note, order):
    data = jpeg.read(photograph(b"Maker", note, order)).exif
    kept = exif.filtered(data, lambda _, entry: entry.tag == MAKER_NOTE)
    before, after = (exif.read(each)[0x8769].entries for each in (data, kept))
    (wanted,) = (entry for entry in before if entry.tag == MAKER_NOTE)
    assert after == (wanted,)
    assert b"Jane Doe" not in kept
    assert b"2020:01:02" not in kept


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_thumbnail_is_cut_and_its_bytes_are_zero(order):
    data = jpeg.read(photograph(b"Maker", sony, order)).exif
    thumbnail = b"\xff\xd8secret thumbnail\xff\xd9"
    second = directory.serialised(
        [directory.number(0x0201, len(data) + 30, order), directory.number(0x0202, len(thumbnail), order)], order, len(data)
    )
    first = exif.read(data)[0]
    at = first.offset + first.size - 4
    with_thumbnail = (
        data[:at] + int.to_bytes(len(data), 4, "little" if order == "<" else "big") + data[at + 4 :] + second + thumbnail
    )
    kept = exif.filtered(with_thumbnail, lambda *_: True)
    assert b"secret" not in kept
    assert kept == data


def test_numbers_are_corrected_in_place_and_grow_if_they_must():
    data = block()
    for number in (64, 70_000):
        corrected = exif.corrected(data, {0xA002: number, 0x0112: 1})
        entries = {entry.tag: entry.number("<") for each in exif.read(corrected).values() for entry in each.entries}
        assert (entries[0xA002], entries[0x0112]) == (number, 1)


def test_a_resolution_is_added_without_moving_values():
    data = block()
    wanted = resolution(300, 300, "inch")
    added = exif.with_resolution(data, wanted)
    assert exif.resolution(added) == exif.resolution(exif.with_resolution(b"", wanted)) == wanted
    assert {key: value for key, value in values(added).items() if key in values(data)} == values(data)


def test_entries_that_share_their_values_do_not_unfold():
    entries = [directory.Entry(tag, 7, 40_000, bytes(40_000)) for tag in range(1, 900)]
    rows = b"".join(directory.packed(entry, "<", 8 + 2 + 12 * 899 + 4) for entry in entries)
    data = b"II*\0\x08\0\0\0" + (899).to_bytes(2, "little") + rows + bytes(4 + 40_000)
    assert len(exif.filtered(data, lambda *_: True)) <= len(data)


def test_directories_that_go_round_in_a_circle_end():
    entry = directory.packed(directory.number(0x8769, 8, "<"), "<", 0)
    data = b"II*\0\x08\0\0\0\x01\0" + entry + (8).to_bytes(4, "little")
    assert exif.filtered(data, lambda *_: True) == b""
