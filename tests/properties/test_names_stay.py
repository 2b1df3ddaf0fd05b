"""Two sources and one output: every image that is done has a file of its own, which keeps its name, whatever happens between runs.

Pictures are added, changed, renamed and deleted, outputs edited and removed by hand, templates changed, runs killed, and what is
gone is pruned. Each picture has a colour of its own, so that an output shows whose it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from PIL import Image

import pixmill
from pixmill.batch.item import from_payload, unpack
from pixmill.engine.task import Done, Skipped
from support.invariants import records, temporaries

SOURCES = ["one", "two"]
PATHS = ["a.png", "A.PNG", "a.bmp", "a.png.bmp", "b.png", "sub/a.png", "sub/b.bmp"]
TEMPLATES = ["{dir}/{stem}.{ext}", "{stem}-{rendition}.{ext}", "{hash}.{ext}", "{dir}/{name}.{ext}", "{dir}/{width}-{stem}.{ext}"]
CHOICES = st.sampled_from([["one"], ["two"], ["one", "two"]])
EDITED = b"edited by hand"
MAX_SECONDS = 1.2  # that a run has before it is killed: about twice what it takes


class Names(RuleBasedStateMachine):
    """A folder with the sources ``one`` and ``two`` and the output ``out``.

    ``pictures`` are the colours of the inputs by source and path. ``names`` are those that an image was given, by how they came
    about: source, path, template, and whether both sources were named. ``foreign`` are the bytes of files that are nobody's to
    change. ``last`` is the last run of each source that went to its end.
    """

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="names-stay-")).resolve()
        self.output = self.root / "out"
        self.pictures, self.names, self.foreign, self.last = {}, {}, {}, {}
        self.colours = iter(range(1, 1 << 24))

    def teardown(self):
        shutil.rmtree(self.root)

    @initialize()
    def begin(self):
        """Let both sources have something, and the output a file of somebody else at a name that is wanted."""
        for source in SOURCES:
            self.put(source, "a.png")
        self.output.mkdir()
        (self.output / "b.png").write_bytes(b"foreign")
        self.foreign[self.output / "b.png"] = b"foreign"

    @rule(source=st.sampled_from(SOURCES), path=st.sampled_from(PATHS))
    def put(self, source, path):
        """Add a picture, or change one."""
        place = self.root / source / path
        place.parent.mkdir(parents=True, exist_ok=True)
        colour = next(self.colours)
        Image.new("RGB", (8, 8), tuple(colour.to_bytes(3, "big"))).save(place)
        os.utime(place, (1e9 + colour, 1e9 + colour))  # two changes within one tick of the clock are two
        self.pictures[source, path] = colour

    @rule(number=st.integers(0, 99), source=st.sampled_from(SOURCES), path=st.sampled_from(PATHS))
    def rename(self, number, source, path):
        """Move a picture, also to the other source, over one that is there."""
        old = sorted(self.pictures)[number % len(self.pictures)]
        if old != (source, path) and Path(old[1]).suffix.lower() == Path(path).suffix.lower() and self.has_others(old):
            (self.root / source / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / old[0] / old[1]).rename(self.root / source / path)
            self.pictures[source, path] = self.pictures.pop(old)

    @rule(number=st.integers(0, 99))
    def delete(self, number):
        """Delete a picture, unless it is the last of its source."""
        old = sorted(self.pictures)[number % len(self.pictures)]
        if self.has_others(old):
            (self.root / old[0] / old[1]).unlink()
            del self.pictures[old]

    @precondition(lambda self: self.names)
    @rule(number=st.integers(0, 99), is_removed=st.booleans())
    def touch_an_output(self, number, is_removed):
        """Remove an output, or write something else over it, which is then nobody's to change."""
        made = sorted(path for path in self.files() if path not in self.foreign)
        if made:
            place = made[number % len(made)]
            place.unlink()
            if not is_removed:
                place.write_bytes(EDITED)
                self.foreign[place] = EDITED

    @rule(sources=CHOICES, template=st.sampled_from(TEMPLATES))
    def run(self, sources, template):
        """Run to the end, and once more, which does nothing."""
        self.held_run(sources, template)
        again = self.held_run(sources, template)
        assert [each for each in again if isinstance(each, Done)] == []

    @rule(sources=CHOICES, template=st.sampled_from(TEMPLATES), moment=st.floats(0.2, MAX_SECONDS))
    def killed_run(self, sources, template, moment):
        """Kill a run at some moment; the same run then goes to its end."""
        words = [str(self.root / source) for source in sources]
        options = ["--name", template, "--format", "png", "--workers", "1", "--quiet"]
        line = [sys.executable, "-m", "pixmill", "run", *words, str(self.output), *options]
        with subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True) as process:
            time.sleep(moment)
            process.kill()
        self.held_run(sources, template)

    @precondition(lambda self: self.last)
    @rule()
    def prune(self):
        """Remove what is gone or no longer asked for; what the last run of a source made of a picture that is there stays."""
        wanted = {
            self.output / name: (self.output / name).read_bytes()
            for (source, path, *how), names in self.names.items()
            for name in names
            if (source, path) in self.pictures and self.last.get(source) == tuple(how) and (self.output / name).exists()
        }
        pixmill.prune(self.output, yes=True, max_delete="100%")
        assert {place: place.read_bytes() for place in wanted if place.exists()} == wanted
        self.files_stay()
        self.names = {
            key: names for key, names in self.names.items() if key[:2] in self.pictures and self.last.get(key[0]) == key[2:]
        }

    def held_run(self, sources, template):
        """Return the outcomes of a run, after everything has been held to be as it must be."""
        folders = [self.root / source for source in sources]
        options = {"format": "png", "name": template, "executor": "inline", "durability": "none"}
        with pixmill.open_run(folders, self.output, **options) as under_way:
            outcomes = list(under_way)
        self.files_stay()
        is_joint = len(sources) > 1
        results = {record.key: record.result for record in records(self.output)}
        owners = {}
        for outcome in outcomes:
            if not isinstance(outcome, Done | Skipped):
                assert outcome.failure.code == "exists", outcome.failure
                continue
            path = os.fsdecode(from_payload(outcome.task.payload).entry.path)
            source, path = path.split("/", 1) if is_joint else (sources[0], path)
            names = [os.fsdecode(output.name) for output in unpack(results[outcome.task.key]).outputs]
            assert len(names) == 1
            assert owners.setdefault(names[0].casefold(), (source, path)) == (source, path)
            assert self.names.setdefault((source, path, template, is_joint), names) == names
            self.check_content(self.output / names[0], self.pictures[source, path])
        finished = {(source, path) for source, path in self.pictures if source in sources}
        assert len(outcomes) == len(finished)
        self.check_all_names()
        self.last.update(dict.fromkeys(sources, (template, is_joint)))
        return outcomes

    def check_content(self, place, colour):
        """Hold the output at ``place`` to be the picture of this colour, unless it was edited."""
        if place not in self.foreign:
            with Image.open(place) as opened:
                assert opened.convert("RGB").getpixel((4, 4)) == tuple(colour.to_bytes(3, "big")), place

    def check_all_names(self):
        """No two pictures ever got the same name, in whichever run."""
        owners = {}
        for (source, path, *_), names in self.names.items():
            for name in names:
                assert owners.setdefault(name.casefold(), (source, path)) == (source, path), name

    def files_stay(self):
        """Every foreign byte is there, and no temporary."""
        assert {place: place.read_bytes() for place in self.foreign if place.exists()} == self.foreign
        assert temporaries(self.root) == []

    def has_others(self, old):
        """Tell whether the source of the picture ``old`` has others in it."""
        return sum(source == old[0] for source, _ in self.pictures) > 1

    def files(self):
        """Return the files in the output without its state."""
        return [path for path in self.output.rglob("*") if path.is_file() and ".pixmill" not in path.parts]


TestNamesStay = Names.TestCase
TestNamesStay.settings = settings(
    max_examples=8,
    stateful_step_count=14,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shorter history costs minutes to find
    suppress_health_check=[HealthCheck.too_slow],
)
