"""Files that options name may be written where they are new, empty or pixmill's own, and nowhere else."""

import os
from pathlib import Path

import pytest

from pixmill.batch.outputs.named_files import SIGNATURES, NamedFile, check, check_again
from pixmill.batch.state.state_folder import FOLDER
from pixmill.core.errors import ConfigError, RunError

LINES = [b'{"source": "a.jpg"}\n', b'{"source":"a.jpg"}\n', b"# HELP go_gc", b"2026-01-01 12:00 log\n"]
FOREIGN = [b"mine", b"{}", *LINES, b"<!doctype html>\n<html>", b"\0" * 70_000, b"\xff\xd8\xff\xe0"]
OWN = {
    "index": b'{"source":"a \\"b\\" c.jpg","outputs":[]',
    "events": b'{"event":"run_started","at":1795944032.5,"run":1}\n',
    "log": b"2026-11-29T09:20:35.079+00:00 bad.jpg: not-an-image in decode: it is none (attempts 1, 0.003 s)\n",
    "metrics": b'{"run":0,"workers":0,"seconds":0.0',
    "profile": b'{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"pixmill 1.0"',
    "report": b'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="pixmill">',
}
FORMER = {
    "profile": b'{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[]}',
    "report": b'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><style>p{}\n</style><title>pixmill: out</title>',
    "log": b'{"event":"task_finished","at":1795944032.5}\n',
    "metrics": b"# HELP pixmill_images_found_total images that the source has yielded\n",
}
KINDS = sorted(SIGNATURES)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "state" / FOLDER).mkdir(parents=True)
    return tmp_path


def judge(path, kind="events", *, sources=(), option="--it"):
    state = next((folder for folder in (path.parent, *path.parents) if (folder / "state").is_dir()), path.parent) / "state" / FOLDER
    check([NamedFile(option, path, kind)], sources=tuple(map(str, sources)), states=(state,))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_new_empty_or_of_the_kind_may_be_written(place, kind):
    path = place / "file"
    judge(path, kind)
    for content in (b"", OWN[kind], *filter(None, [FORMER.get(kind)])):
        path.write_bytes(content)
        judge(path, kind)
        check_again("--it", path, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_of_no_kind_may_not_whatever_leads_there(place, kind):
    path = place / "file"
    (place / "link").symlink_to("file")
    for content in FOREIGN:
        path.write_bytes(content)
        os.link(path, place / "hard")
        for name in ("file", "link", "hard"):
            with pytest.raises(ConfigError, match=f"--it would overwrite .*{name}") as refused:
                judge(place / name, kind)
            assert refused.value.code == "foreign-file"
        (place / "hard").unlink()
        with pytest.raises(RunError, match="--it would overwrite"):
            check_again("--it", path, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_another_option_may_not(place, kind):
    for other in KINDS:
        if other != kind and not (other == "events" and kind == "log"):
            (place / "file").write_bytes(OWN[other])
            with pytest.raises(ConfigError, match="--it"):
                judge(place / "file", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_src_itself_may_not_be_written_even_if_pixmill_wrote_it(place, kind):
    source = place / "list"
    (place / "link").symlink_to("list")
    for content in (b"", OWN[kind]):
        source.write_bytes(content)
        for path, named in ((source, source), (place / "link", source), (source, place / "link")):
            with pytest.raises(ConfigError, match="inputs are never changed"):
                judge(path, kind, sources=["elsewhere", named])


@pytest.mark.parametrize("name", ["lock", "ledger.sqlite-wal", "runs/00000001.json", "shard-1-of-2/lock", "README"])
def test_a_place_of_the_state_may_not_be_taken(place, name):
    path = place / "state" / FOLDER / name
    path.parent.mkdir(exist_ok=True)
    for kind in KINDS:
        with pytest.raises(ConfigError, match="reserved for the state"):
            judge(path, kind)
    judge(place / name.rpartition("/")[2], "events")
    judge(place / "state" / FOLDER / "events.jsonl", "events")
    judge(place / "state" / FOLDER / "report.html", "report")


def test_two_options_may_not_name_one_file_but_one_device(place):
    (place / "one").write_bytes(b"")
    (place / "two").symlink_to("one")
    for first, second in (("new", "new"), ("new", "state/../new"), ("one", "two")):
        files = [NamedFile("--first", place / first, "index"), NamedFile("--second", place / second, "events")]
        with pytest.raises(ConfigError, match="--first and --second name the same file"):
            check(files, sources=(), states=())
    check(
        [NamedFile("--first", Path("/dev/null"), "index"), NamedFile("--second", Path("/dev/null"), "log")], sources=(), states=()
    )


def test_a_folder_may_not_nor_what_has_none_nor_a_circle_of_links(place):
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    for path in (place / "state", place / "nowhere" / "file", place / "a"):
        with pytest.raises(ConfigError, match=path.name):
            judge(path)


def test_what_a_log_would_put_aside_is_looked_at_too(place):
    (place / "log.3").write_bytes(b"mine")
    with pytest.raises(ConfigError, match=r"log\.3"):
        judge(place / "log", "log")
    judge(place / "log", "events")
