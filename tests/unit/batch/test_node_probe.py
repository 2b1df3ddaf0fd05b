"""What a node shows, and what the coordinator says of it: a node that differs is one that is asked about other places."""

import os
import re
import shutil
from contextlib import ExitStack

import msgspec
import pytest
from PIL import Image

from pixmill.batch.config.models import RunConfig
from pixmill.batch.node_probe import MAX_SAMPLES, NodeProbe, with_node_admission
from pixmill.batch.planning.plan import plan
from pixmill.batch.worker.node_evidence import Evidence, ProbeQuestion, answer
from pixmill.core.errors import RunError
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.version import ENGINE
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

STEP = "def same(image):\n    return image\n"


class Site:
    """A run that is about to start: its folders, its probe, and a node that may see other things than the coordinator."""

    def __init__(self, folder, stack):
        self.source, self.out, self.elsewhere = folder / "in", folder / "out", folder / "elsewhere"
        for each in (self.source, self.out / ".pixmill", self.elsewhere):
            each.mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(self.source / f"{number}.png")
        self.step = folder / "step.py"
        self.step.write_text(STEP)
        recipe = Recipe(steps=({"operation": "python", "function": f"{self.step}:same"},))
        self.made = plan(RunConfig(source=str(self.source), destination=str(self.out), recipe=recipe))
        self.tasks = list(self.made.tasks())
        self.probe = NodeProbe(self.made, self.tasks[:MAX_SAMPLES], stack)
        self.question = msgspec.msgpack.decode(self.probe.options, type=ProbeQuestion)

    def evidence(self, **changes):
        asked = msgspec.structs.replace(self.question, **changes)
        return msgspec.msgpack.decode(answer(msgspec.msgpack.encode(asked)), type=Evidence)

    def verdict(self, evidence):
        self.probe.check(msgspec.msgpack.encode(evidence))

    def marks(self):
        return sorted(path.name for path in (self.out / ".pixmill").glob("admission-*"))


@pytest.fixture
def site(tmp_path):
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def test_a_node_that_sees_the_same_is_admitted(site):
    evidence = site.evidence()
    site.verdict(evidence)
    site.verdict(site.evidence())  # another one
    assert len(site.marks()) == 3  # the coordinator's, and the answers of two nodes
    assert len(evidence.environment.samples) == MAX_SAMPLES


def test_a_node_with_another_file_system_over_dst_is_refused_and_nothing_is_left_there(site):
    evidence = site.evidence(destination=site.elsewhere.as_uri())
    with pytest.raises(RunError, match=f"DST {site.out} on the node is not that of the coordinator: ") as refusal:
        site.verdict(evidence)
    assert "the same file system at this path" in refusal.value.hint
    assert list(site.elsewhere.iterdir()) == []


def test_a_node_that_reads_dst_and_cannot_write_to_it_is_refused(site):
    evidence = site.evidence()
    (site.out / os.fsdecode(evidence.reply)).unlink()
    with pytest.raises(RunError, match="a file written on one side is not visible on the other"):
        site.verdict(evidence)


def test_a_copy_of_dst_is_not_dst(site):
    shutil.copytree(site.out, site.elsewhere, dirs_exist_ok=True)
    with pytest.raises(RunError, match="a file written on one side is not visible on the other"):
        site.verdict(site.evidence(destination=site.elsewhere.as_uri()))


def test_a_node_without_src_is_refused(site):
    with pytest.raises(RunError, match=f"SRC {site.source} does not exist"):
        site.verdict(site.evidence(source=(site.elsewhere / "none").as_uri()))


def test_a_node_with_an_empty_folder_at_src_is_refused_with_the_first_file_that_is_missing(site):
    with pytest.raises(RunError, match=rf"SRC {site.source} on the node is not that of the coordinator: 0\.png does not exist"):
        site.verdict(site.evidence(source=site.elsewhere.as_uri()))


def test_a_node_with_other_files_at_src_is_refused(site):
    shutil.copytree(site.source, site.elsewhere, dirs_exist_ok=True)
    other = site.elsewhere / "0.png"
    data = bytearray(other.read_bytes())
    data[-1] ^= 1
    other.write_bytes(data)
    with pytest.raises(RunError, match=r"0\.png: it differs"):
        site.verdict(site.evidence(source=site.elsewhere.as_uri()))


def test_a_sample_that_is_changed_between_two_looks_refuses_no_node(site):
    site.verdict(site.evidence())
    (site.source / "0.png").write_bytes(b"something else")
    site.verdict(site.evidence())


def test_a_node_without_the_file_of_a_step_is_refused(site):
    missing = str(site.elsewhere / "step.py")
    with pytest.raises(
        RunError, match=r"a file used by a step differs from the coordinator's: .*step\.py does not exist"
    ) as refusal:
        site.verdict(site.evidence(files=(missing,)))
    assert "absolute path" in refusal.value.hint


def test_a_node_with_another_version_of_a_step_is_refused(site):
    evidence = site.evidence()
    site.step.write_text(STEP + "\n")
    with pytest.raises(RunError, match=r"step\.py: it differs"):
        site.verdict(evidence)


def test_a_node_with_another_libvips_is_refused_and_both_are_named(site):
    evidence = site.evidence()
    evidence.environment.libraries["engine"] = "2 libvips-8.1.1"
    evidence.environment.libraries["pillow-heif"] = ""
    said = f"the node has engine 2 libvips-8.1.1, no pillow-heif, the coordinator has engine {ENGINE}"
    with pytest.raises(RunError, match=re.escape(said)):
        site.verdict(evidence)


def test_all_that_is_wrong_is_said_at_once(site):
    evidence = site.evidence(source=site.elsewhere.as_uri(), destination=site.elsewhere.as_uri())
    with pytest.raises(RunError, match=r"DST .*; SRC .*"):
        site.verdict(evidence)


@pytest.mark.parametrize(
    ("module", "is_there"), [("pixmill.imaging.image", True), ("pixmill.imaging.no_such_module", False), ("nowhere.at.all", False)]
)
def test_a_module_is_looked_for_without_being_imported(site, module, is_there):
    (sight,) = site.evidence(modules=(module,)).environment.modules
    assert bool(sight.state) == is_there
    assert sight.error == ("" if is_there else "it is not installed")


def test_a_function_of_a_module_is_asked_for_by_its_module(tmp_path):
    (tmp_path / "in").mkdir()
    recipe = Recipe(steps=({"operation": "python", "function": "pixmill.testing.steps:same"},))
    assert [step.modules for step in recipe.steps] == [("pixmill.testing.steps",)]


def test_nothing_is_left_in_dst_of_this_run_or_of_one_that_was_killed(tmp_path):
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        site.evidence()
        (mark, _) = site.marks()
        (site.out / ".pixmill" / "admission-1of1-of-a-dead-run").touch()
        (site.out / ".pixmill" / "admission-2of4-of-another-shard").touch()
        NodeProbe(site.made, [], stack)
        assert mark not in site.marks()
    assert site.marks() == ["admission-2of4-of-another-shard"]


def test_the_tasks_that_are_the_samples_are_not_lost(site):
    with ExitStack() as stack:
        for stream in (site.tasks, [], [None, *site.tasks[:2], None, *site.tasks[2:]]):
            assert list(with_node_admission(InlineExecutor(), site.made, stream, stack)) == list(stream)


def test_pages_of_the_web_are_not_asked_for_and_files_of_a_list_are(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/a.png\nhttps://example.org/b.png\n")
    (tmp_path / "out").mkdir()
    made = plan(RunConfig(source=str(tmp_path / "list.txt"), destination=str(tmp_path / "out")))
    with ExitStack() as stack:
        probe = NodeProbe(made, list(made.tasks()), stack)
        question = msgspec.msgpack.decode(probe.options, type=ProbeQuestion)
        assert question.samples == (b"\0" + os.fsencode(tmp_path / "a.png"),)
        probe.check(answer(probe.options))


def test_a_bucket_is_proven_with_the_credentials_and_the_endpoint(s3, tmp_path, monkeypatch):
    store = open_storage(Address.parse(f"s3://{s3}"))
    place = f"s3://{s3}/{tmp_path.name}"
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(picture)
    store.write(f"{tmp_path.name}/in/a.png".encode(), picture.read_bytes(), durable=True)
    made = plan(RunConfig(source=f"{place}/in", destination=f"{place}/out"))
    with ExitStack() as stack:
        probe = NodeProbe(made, list(made.tasks()), stack)
        probe.check(answer(probe.options))
        with monkeypatch.context() as there:
            there.setenv("AWS_SECRET_ACCESS_KEY", "another")
            evidence = answer(probe.options)
        with pytest.raises(
            RunError, match=f"DST {place}/out on the node is not that of the coordinator: .*; SRC {place}/in on the node is not"
        ):
            probe.check(evidence)
        assert len([*store.list(f"{tmp_path.name}/out".encode())]) == 1
    assert [*store.list(f"{tmp_path.name}/out".encode())] == []
