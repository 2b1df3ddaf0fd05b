"""What is fuzzed: each target takes any bytes, and raises for nothing but a defect. ``_run.py`` runs one."""

import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.template import Template
from pixmill.core.errors import PixmillError, RecipeError
from pixmill.core.validation import DECODE_ERRORS
from pixmill.engine.ipc.messages import FrameReader
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import State
from pixmill.imaging.backends import bmp_pixels
from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import codec_for, formats, kind_of, sniff
from pixmill.imaging.input import HEAD_BYTES, Input
from pixmill.imaging.metadata.policy import KINDS
from pixmill.imaging.metadata.selection import OutputFacts, select
from pixmill.imaging.metadata.setting import Setting
from pixmill.imaging.metadata.xmp import parse
from pixmill.imaging.parsers import bmp, jpeg, png
from pixmill.imaging.pipeline.identify import identify, read_header
from pixmill.imaging.recipe import Recipe


def scans(data):
    """The counter of scans: the same whole and in two pieces, never more than there are markers."""
    whole = jpeg.scan(iter([data]))
    half = len(data) // 2
    assert jpeg.scan(iter([data[:half], data[half:]] if half else [data])) == whole
    assert 0 <= whole.scans <= data.count(b"\xff\xda")
    with suppress(PixmillError):
        jpeg.check(whole)


def chunks(data):
    """The header scan of PNG."""
    whole = png.scan(data)
    assert whole.frames >= 1
    assert whole.late_exif is None or 0 < whole.late_exif[0] < whole.late_exif[1] <= len(data)


def sniffing(data):
    """What a file is, by its first bytes: a format that says so itself, or a stranger with a name."""
    known = sniff(data[:HEAD_BYTES])
    assert known is None or known in formats()
    kind = kind_of(data[:HEAD_BYTES])
    assert kind is None or (kind.name.isprintable() and kind.description.isprintable())
    assert known is (kind and kind.format)
    with suppress(PixmillError):
        identify(Input(data))


def equivalents(data):
    """What a source is rewritten to if a decoder refuses it: of the same kind, and hardly larger."""
    known = sniff(data[:HEAD_BYTES])
    for equivalent in codec_for(known).equivalents(Input(data)) if known else ():
        assert sniff(equivalent.head) is known
        assert len(equivalent.data) <= 2 * len(data) + MAX_ADDED


def bitmaps(data):
    """The decoder of BMP: as many pixels as the header says, or an error of an image."""
    with suppress(PixmillError, EOFError):
        bitmap = bmp.read(data[:HEAD_BYTES])
        if bitmap.width * bitmap.height <= MAX_FUZZED_PIXELS:
            image = bmp_pixels.decode(data, bitmap, lenient=True)
            assert (image.width, image.height) == (bitmap.width, bitmap.height)


def headers(data):
    """The headers of formats that must be allowed: read, or refused in words, without a large number in it."""
    with suppress(PixmillError):
        header = read_header(Input(data), EVERYTHING)
        assert min(header.width, header.height) >= 1
        assert header.pixels <= EVERYTHING.limits.max_pixels


EVERYTHING = Recipe(allow=["all"])


def names(data):
    """Templates that stay below the destination, and names that differ."""
    text, _, rest = data.partition(b"\n")
    try:
        template = Template.from_builtin(text.decode("utf-8", "surrogateescape"))
    except ValueError:
        return
    sources = {name for name in rest.split(b"\n") if name.strip(b".") and b"/" not in name and b"\0" not in name}
    if "{rendition}" in template.text or any(0xDC80 <= ord(letter) <= 0xDCFF for letter in template.text):
        return
    given = Namer(template, [("", lambda _: "jpg")]).names(sources)
    assert len({name for (name,) in given.values()}) == len(sources)
    assert all(not name.startswith(b"/") and b".." not in name.split(b"/") for (name,) in given.values())


def recipes(data):
    """Recipes in TOML: read, or refused in words."""
    try:
        recipe = Recipe.from_toml(data.decode("utf-8", "replace"))
    except RecipeError as error:
        assert error.message  # noqa: PT017  # this is no test that expects an error
        return
    assert Recipe.from_builtins(recipe.to_builtins()) == recipe


def frames(data):
    """The wire: whatever comes is messages, is waited for, or is refused by the decoder."""
    with suppress(*DECODE_ERRORS):
        FrameReader().messages(data)
    with suppress(*DECODE_ERRORS):
        FrameReader().requests(data)


def ledger(data):
    """The ledger: what was done is read as it was written, or not at all, from a file whose bytes ``data`` overwrites."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder, "ledger.sqlite")
        spoiled = bytearray(_written())
        for place in range(0, len(data) - 2, 3):
            spoiled[int.from_bytes(data[place : place + 2]) % len(spoiled)] = data[place + 2]
        path.write_bytes(spoiled)
        with suppress(PixmillError), closing(SqliteLedger(path)) as held:
            for record in held.records(State.DONE):
                assert record.result == b"made of " + record.key


def _written():
    if not _LEDGER:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "ledger.sqlite")
            _write(path)
            _LEDGER.append(path.read_bytes())
    return _LEDGER[0]


def _write(path):
    from pixmill.engine.task import Attempt, Done, Task  # noqa: PLC0415  # only to make the seed

    with closing(SqliteLedger(path, clock=lambda: 1.0)) as made:
        made.begin_run()
        tasks = [Task.of(f"photo {number}.jpg") for number in range(40)]
        made.get_or_add(tasks)
        made.start_attempts([Attempt(task) for task in tasks])
        made.record_outcomes([Done(task=task, result=b"made of " + task.key) for task in tasks[::2]])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


_LEDGER = []


def metadata(data):
    """The metadata of every format: read and filtered without an error, and never written larger than they were."""
    known = sniff(data[:HEAD_BYTES])
    container = codec_for(known).container if known else None
    if container is None:
        return
    blocks = container.read(data)
    for policy in KINDS:
        for _, codec in Codec.registry:
            if codec.container is not None:
                select(blocks, policy, FACTS, codec.container, SETTINGS, SETTINGS)
                chosen = select(blocks, policy, FACTS, codec.container).blocks
                assert len(chosen.exif) <= 4 * len(blocks.exif) + SMALL  # four directories, each no larger than the block
                assert not chosen.xmp or parse(chosen.xmp)
    bare = container.bare(data)
    assert bare is None or len(bare) <= len(data) + SMALL


SMALL = 100  # bytes: of a header, or of a block of EXIF that states a resolution only
FACTS = OutputFacts(100, 80, is_srgb=True, is_gray=False, is_resampled=False, is_same_grid=True)
SETTINGS = [Setting("copyright", "(c) {date:%Y} {artist|x}"), Setting("dpi", "300")]
MAX_ADDED = 300_000  # bytes: what an unpacked and packed PNG may gain
MAX_FUZZED_PIXELS = 1_000_000
TARGETS = {
    target.__name__: target
    for target in (scans, chunks, sniffing, equivalents, bitmaps, headers, names, recipes, frames, ledger, metadata)
}
