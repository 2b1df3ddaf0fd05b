"""Whatever lies around: no input and no foreign file is ever changed, and what a run calls done is there, once for each image.

A machine makes random trees of sources, links, hard links and foreign files, and runs over them with random options.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from PIL import Image

import pixmill
from pixmill.batch.item import unpack
from pixmill.core.errors import ConfigError
from pixmill.engine.task import Done, Skipped
from support.invariants import STATE, records, temporaries
from support.snapshots import Kept, look, lost

FOLDERS = ["", "a.jpg", "a", "sub", "sub/deep.png", ".hidden"]
NAMES = [
    "a.jpg",
    "a.png",
    "A.JPG",
    "a",
    "a.jpg.jpg",
    "b.jpg",
    ".hidden.jpg",
    "caf\udce9.jpg",
    "new\nline.png",
    "-rf.jpg",
    "notes.txt",
]
TAKEN = ["a.jpg", "a.png", "a.webp", "a.png.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg", "a/a.jpg", "a.jpg/a.jpg", "caf\udce9.jpg", "x"]
LINKS = ["sub", "a", "a.jpg", "b.jpg", "link", "x"]
TARGETS = ["src", "src/sub", "src/b.jpg", "dst", "dst/a.jpg", "dst/sub", "elsewhere", "elsewhere/a.jpg", "nowhere"]
TEMPLATES = ["{dir}/{stem}.{ext}", "{hash}.{ext}", "{stem}-{rendition}.{ext}", "sub/{dir}/{stem}.{ext}", "{dir}/{name}.{ext}"]
FORMATS = [["jpeg"], ["png"], ["webp"], ["keep"], ["webp", "jpeg"]]


def picture(shade, kind="JPEG"):
    buffer = BytesIO()
    Image.new("RGB", (8, 8), (shade, 90, 60)).save(buffer, kind)
    return buffer.getvalue()


PICTURES = st.builds(picture, st.integers(0, 3), st.sampled_from(["JPEG", "PNG"]))
CONTENTS = st.sampled_from([b"", b"somebody else's", picture(1), picture(7, "PNG")])


def place_of(path):
    """Return where the name ``path`` really is: its folder without links, and the name itself, be it a link or not."""
    return real(path.parent) / path.name


def real(path):
    """Return what ``path`` leads to; links that lead in circles lead to themselves, where ``Path.resolve`` raises."""
    return Path(os.path.realpath(path))


def seen(place):
    """Return what is at ``place`` now."""
    return look(os.fsencode(place))


class Files(RuleBasedStateMachine):
    """A folder with ``src``, ``dst`` and ``elsewhere``. ``kept`` are the files that are nobody's to change, by place.

    ``edited`` are the places of outputs that were changed by hand.
    """

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="files-stay-")).resolve()
        self.source, self.destination, self.elsewhere = (self.root / name for name in ("src", "dst", "elsewhere"))
        self.kept: dict[Path, Kept] = {}
        self.edited: set[Path] = set()

    def teardown(self):
        shutil.rmtree(os.fsencode(self.root))

    @initialize(where=st.sampled_from(["beside", "inside", "behind a link"]))
    def begin(self, where):
        """Let there be something to do, and a place for the outputs."""
        self.source.mkdir()
        self.elsewhere.mkdir()
        if where == "inside":
            self.destination = self.source / "out"
        elif where == "behind a link":
            (self.root / "disk").mkdir()
            self.destination.symlink_to("disk")
        self.put(self.source / "b.jpg", picture(1))
        self.put(self.elsewhere / "a.jpg", picture(2))

    @rule(folder=st.sampled_from(FOLDERS), name=st.sampled_from(NAMES), content=PICTURES)
    def add_or_change_a_source(self, folder, name, content):
        """Write a picture, also over one that was an input before."""
        self.put(self.source / folder / name, content, over=self.kept)

    @rule(number=st.integers(0, 99))
    def remove_a_source(self, number):
        """Remove an input, unless it is the last."""
        sources = self.sources()
        if len(sources) > 1:
            place = sources[number % len(sources)]
            place.unlink()
            del self.kept[place]

    @rule(name=st.sampled_from(TAKEN), content=CONTENTS)
    def add_a_foreign_file(self, name, content):
        """Put somebody's file where an output may be wanted."""
        self.put(self.destination / name, content)

    @rule(name=st.sampled_from(TAKEN), number=st.integers(0, 99))
    def add_a_copy_of_an_output(self, name, number):
        """Put a copy of an output, which may be what another image would become, at a name that may be wanted."""
        made = sorted(self.known_outputs())
        if made:
            self.put(self.destination / name, made[number % len(made)].read_bytes())

    @rule(name=st.sampled_from(TAKEN), number=st.integers(0, 99))
    def add_a_hard_link(self, name, number):
        """Let an input have a second name in DST."""
        sources = self.sources()
        self.add(self.destination / name, lambda place: place.hardlink_to(sources[number % len(sources)]))

    @rule(folder=st.sampled_from(["src", "dst"]), name=st.sampled_from(LINKS), goal=st.sampled_from(TARGETS))
    def add_a_link(self, folder, name, goal):
        """Put a symbolic link into SRC or DST."""
        bases = {"src": self.source, "dst": self.destination}
        base, _, rest = goal.partition("/")
        leads_to = bases.get(base, self.root / base) / rest
        self.add(bases[folder] / name, lambda place: place.symlink_to(leads_to))

    @rule(number=st.integers(0, 99))
    def delete_an_output(self, number):
        """Delete one, as a user may."""
        made = sorted(self.known_outputs())
        if made:
            made[number % len(made)].unlink()

    @rule(number=st.integers(0, 99), content=CONTENTS)
    def edit_an_output(self, number, content):
        """Change one by hand, as editors do: by another file in its place, which stays, unless it is empty."""
        made = sorted(self.known_outputs())
        if made and content not in (b"", made[number % len(made)].read_bytes()):
            place = made[number % len(made)]
            place.unlink()
            place.write_bytes(content)
            self.kept[place] = seen(place)
            self.edited.add(place)

    @rule(number=st.integers(0, 99))
    def copy_an_output(self, number):
        """Put the same bytes in the place of one, with another time and inode: that is no change."""
        made = sorted(self.known_outputs())
        if made:
            place = made[number % len(made)]
            data = place.read_bytes()
            place.unlink()
            place.write_bytes(data)

    @rule()
    def lose_the_ledger(self):
        """Delete it: from now on nobody knows which files are outputs, so all are somebody's."""
        for path in (self.destination / STATE).glob("ledger*"):
            path.unlink()
        self.edited.clear()
        self.kept.update({place: seen(place) for place in self.files() if place not in self.kept})

    @rule(
        formats=st.sampled_from(FORMATS),
        name=st.sampled_from(TEMPLATES),
        existing=st.sampled_from(["fail", "fail", "skip", "refuse", "replace", "adopt"]),
        on_collision=st.sampled_from(["suffix", "suffix", "error"]),
        follow_symlinks=st.booleans(),
        follow_output_links=st.booleans(),
        force=st.booleans(),
        all_files=st.booleans(),
    )
    def run(self, **options):
        """Run, whatever comes of it, and once more; hold what comes of it to what was promised."""
        done = {outcome.task.key for outcome in self.held_run(options) if is_done(outcome)}
        again = self.held_run({**options, "force": False})
        assert [outcome.task.key for outcome in again if isinstance(outcome, Done) and outcome.task.key in done] == []

    @rule()
    def prune(self):
        """Remove what is not wanted any more; every output of an image that is there stays."""
        wanted = {
            place: seen(place)
            for record in records(self.destination)
            if os.path.lexists(self.source / os.fsdecode(record.key))
            for place in self.places(record.result)
            if os.path.lexists(place)
        }
        with suppress(ConfigError):
            pixmill.prune(self.destination, yes=True, max_delete="100%")
        assert lost(wanted, {place: seen(place) for place in wanted if os.path.lexists(place)}) == {}
        left = {record.key for record in records(self.destination)}
        listed = {path.parent for path in self.sources()}
        for key in left:
            path = self.source / os.fsdecode(key)
            assert os.path.lexists(path) or path.parent not in listed, f"{key!r} is gone, and its record stays"

    def held_run(self, options):
        """Return the outcomes of a run, after everything has been held to be as it must be."""
        inputs = self.inputs(follow=options["follow_symlinks"])
        outcomes = []
        with suppress(ConfigError), pixmill.open_run(
            self.source, self.destination, executor="inline", durability="none", **options
        ) as under_way:  # fmt: skip
            outcomes = list(under_way)
        done = {outcome.task.key: self.outputs_of(outcome) for outcome in outcomes if is_done(outcome)}
        places = {place for each in done.values() for place in each}
        pixmills = {*places, *map(real, places)} - inputs
        if options["existing"] == "replace":
            self.let_go(pixmills)
        self.files_stay()
        self.edited &= self.kept.keys()
        self.check_done(done)
        self.let_go(pixmills - self.edited)  # adopted: they are pixmill's from now on
        return outcomes

    def let_go(self, places):
        """Expect these to stay no longer."""
        for place in places:
            self.kept.pop(place, None)

    @precondition(lambda self: self.kept)
    @invariant()
    def files_stay(self):
        """Every input and every foreign file has its bytes, its time and its inode; no temporary is left anywhere."""
        assert lost(self.kept, {place: seen(place) for place in self.kept if os.path.lexists(place)}) == {}
        assert temporaries(self.root) == []

    def check_done(self, done):
        """Hold what a run calls done to this: every output is a file of its own, and a picture unless it was edited."""
        owners = {}
        for key, places in done.items():
            assert places, f"{key!r} is done, and nobody knows what became of it"
            for place in map(real, places):
                assert owners.setdefault(place, key) == key, f"{key!r} and {owners[place]!r} share {place}"
                if place not in self.edited:
                    with Image.open(place) as opened:
                        opened.load()

    def outputs_of(self, outcome):
        """Return the places of the outputs of an image that is done."""
        if isinstance(outcome, Done):
            result = outcome.result
        else:
            result = next(record.result for record in records(self.destination) if record.key == outcome.task.key)
        return self.places(result)

    def places(self, result):
        """Return the places of the outputs that ``result`` names."""
        return [place_of(self.destination / os.fsdecode(output.name)) for output in unpack(result).outputs] if result else []

    def known_outputs(self):
        """Return the places of the outputs that the ledger knows and that are files there."""
        places = {place for place in self.names_in_the_ledger() if place.is_file() and not place.is_symlink()}
        return places - self.kept.keys()

    def put(self, path, content, *, over=()):
        """Write a file that must stay as it is; over another only where that is one of ``over``."""

        def write(place):
            with place.open("wb" if place in over and not place.is_symlink() else "xb") as file:
                file.write(content)

        self.add(path, write)

    def add(self, path, create):
        """Create something that must stay as it is, unless it cannot be there, or the ledger holds the name for an output."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            place = place_of(path)
            if place not in self.names_in_the_ledger():
                create(place)
                self.kept[place] = seen(place)

    def names_in_the_ledger(self):
        """Return the places of all outputs that the ledger knows, be they there or not."""
        return {place for record in records(self.destination) for place in self.places(record.result)}

    def sources(self):
        """Return the places of the files below SRC that are inputs, or would be if they had another name."""
        return sorted(place for place in self.inputs(follow=False) if self.kept[place].kind == "file")

    def inputs(self, *, follow):
        """Return the places of everything in SRC, and with ``follow`` behind its links; what lies in DST is never input."""
        output, found, visited, waiting = real(self.destination), set(), set(), [self.source]
        while waiting:
            folder = real(waiting.pop())
            if folder not in visited | {output}:
                visited.add(folder)
                entries = list(folder.iterdir())
                waiting += [path for path in entries if is_folder(path) and (follow or not path.is_symlink())]
                found.update(entries, map(real, entries) if follow else ())
        return {place for place in found if place in self.kept and output not in place.parents}

    def files(self):
        """Return the places of everything that is not a folder, the state of the output left out."""
        found = (path for path in self.root.rglob("*") if STATE not in path.parts)
        return {path for path in found if path.is_symlink() or not path.is_dir()}


def is_folder(path):
    return os.path.isdir(path)  # noqa: PTH112  # a link that leads in circles is none, where Path raises


def is_done(outcome):
    return isinstance(outcome, Done) or (isinstance(outcome, Skipped) and outcome.reason == "unchanged")


TestFilesStay = Files.TestCase
TestFilesStay.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shorter history costs minutes to find
    suppress_health_check=[HealthCheck.too_slow],
)
