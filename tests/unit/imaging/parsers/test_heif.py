"""What HEIF and AVIF state about their primary image is found in every place where it may be."""

import io
import struct

import pytest
from PIL import Image

from pixmill.imaging.parsers.boxes import boxes, is_cut_off, packed
from pixmill.imaging.parsers.heif import av1, hevc, items, primary

CODES = (12, 13, 6)


class Bits:
    """Writes numbers, most significant bit first."""

    def __init__(self):
        self.text = ""

    def put(self, *pairs):
        for value, count in pairs:
            self.text += f"{value:0{count}b}" if count else ""
        return self

    def golomb(self, *values):
        for value in values:
            digits = f"{value + 1:b}"
            self.text += "0" * (len(digits) - 1) + digits
        return self

    def unit(self):
        """Return the bytes; a 3 is put in wherever two zeros and a number up to 3 would follow each other."""
        data, zeros = bytearray(), 0
        for byte in int(self.text + "1" + "0" * (-(len(self.text) + 1) % 8), 2).to_bytes((len(self.text) + 8) // 8):
            if zeros == 2 and byte <= 3:
                data.append(3)
                zeros = 0
            data.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(data)


def parameter_set(*, sublayers=0, chroma=1, lists=False, sets=False, aspect=1, codes=CODES):
    """Return the box hvcC with a sequence parameter set that uses more or less of what the standard allows."""
    bits = Bits().put((33 << 9 | 1, 16), (0, 4), (sublayers, 3), (1, 1), (0, 88), (93, 8))
    if sublayers:
        bits.put(*[(1, 1), (1, 1)] * sublayers, (0, 2 * (8 - sublayers)), *[(0, 88), (93, 8)] * sublayers)
    bits.golomb(0, chroma)
    if chroma == 3:
        bits.put((0, 1))
    bits.golomb(64, 48).put((1, 1)).golomb(0, 1, 0, 1).golomb(2, 2, 4).put((1, 1))
    for _ in range(sublayers + 1):
        bits.golomb(4, 2, 0)
    bits.golomb(0, 3, 0, 3, 1, 1)
    bits.put((lists, 1))
    if lists:
        bits.put((1, 1))
        for size, count in ((0, 6), (1, 6), (2, 6), (3, 2)):
            bits.put((0, 1)).golomb(0)
            for _ in range(count - 1):
                bits.put((1, 1)).golomb(*[7] * (min(64, 16 << 2 * size) + (size > 1)))
    bits.put((0, 2), (1, 1), (0xFF, 8)).golomb(0, 1).put((1, 1))
    if sets:
        bits.golomb(3).golomb(2, 1).golomb(0).put((1, 1)).golomb(3).put((1, 1)).golomb(0).put((1, 1))  # -1, -5, 1
        bits.put((1, 1), (1, 1)).golomb(0).put((1, 1), (0, 1), (0, 1), (1, 1), (1, 1))  # -2, 0 and -1 of which the 0 goes
        bits.put((1, 1), (0, 1)).golomb(3).put(*[(1, 1)] * 3)  # two of the one before, and one of its own
        bits.put((1, 1)).golomb(2).put((9, 8), (1, 1), (77, 8), (0, 1))
    else:
        bits.golomb(0).put((0, 1))
    bits.put((3, 2), (1, 1), (1, 1), (aspect, 8))
    if aspect == 255:
        bits.put((4, 16), (3, 16))
    bits.put((1, 1), (0, 1), (1, 1), (5, 3), (1, 1), (bool(codes), 1), *((code, 8) for code in codes or ()))
    unit = bits.unit()
    other = b"\x40\x01\x0c"
    arrays = b"".join(bytes([kind]) + struct.pack(">HH", 1, len(each)) + each for kind, each in ((0xA0, other), (0xA1, unit)))
    return bytes(22) + b"\2" + arrays


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sublayers": 3},
        {"chroma": 3},
        {"lists": True},
        {"sets": True},
        {"aspect": 255},
        {"sublayers": 6, "lists": True, "sets": True},
    ],
    ids=str,
)
def test_the_parameter_set_is_read_whatever_comes_before_the_colours(settings):
    assert hevc.colour_config(parameter_set(**settings)) == (CODES, True)


def test_a_parameter_set_may_state_the_range_without_the_colours():
    assert hevc.colour_config(parameter_set(codes=None)) == ((2, 2, 2), True)


def test_a_parameter_set_that_is_cut_off_states_nothing():
    whole_set = parameter_set(lists=True, sets=True)
    for end in range(len(whole_set) - 6):
        try:
            assert hevc.colour_config(whole_set[:end]) is None
        except (ValueError, IndexError):
            continue


def file_with(**settings):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (170, 120, 110)).save(file, "AVIF", **settings)
    return file.getvalue()


def test_the_codes_of_an_avif_may_be_in_its_configuration_alone():
    data = file_with()
    directory = items.read_directory(data)
    coded = items.content(data, directory, directory.items[directory.primary], most=64)
    stated = av1.colour_config(coded)
    configuration = next(
        data[box.content : box.end] for box in items.properties(data, directory, [directory.primary]) if box.kind == b"av1C"
    )
    sequence_header = coded[2 : 2 + 2 + coded[3]]
    assert sequence_header[0] >> 3 == av1.SEQUENCE_HEADER
    longer = packed(b"av1C", configuration + sequence_header)
    meta = data.replace(packed(b"av1C", configuration), longer).replace(b"nclx", b"xxxx")
    for kind in (b"meta", b"iprp", b"ipco"):
        place = meta.index(kind) - 4
        size = int.from_bytes(meta[place : place + 4]) + len(sequence_header)
        meta = meta[:place] + size.to_bytes(4) + meta[place + 4 :]
    # the offsets in the file are wrong now, so that the bitstream is not found
    assert primary.read_primary(meta).codes == stated.codes


def test_a_file_is_cut_off_if_its_last_box_is_not_complete():
    data = file_with()
    assert not is_cut_off(data)
    assert not is_cut_off(data[: list(boxes(data, 0, len(data)))[-1].start])
    assert all(is_cut_off(data[:-size]) for size in (1, 100))
    assert is_cut_off(data + b"\0\0\0\1mdat" + (2**40).to_bytes(8))
    assert not is_cut_off(data + b"\0\0\0\0free")
    assert not is_cut_off(data + b"\0\0\0\3free")
