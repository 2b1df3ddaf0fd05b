"""Whether a source has changed: by size and time, by the change time of its file, and with ``--checksum`` by content.

``exiftool -P -overwrite_original``, which restores the time of the file that it writes, is simulated by writing and ``utime``.
"""

import json
import os
import tarfile
from contextlib import closing

import pytest
from msgspec.structs import replace
from PIL import Image

from pixmill.batch.item import pack, unpack
from pixmill.engine.ledgers.sqlite import SqliteLedger
from support.invariants import identities


@pytest.fixture
def folder(tmp_path):
    for name in ("a.bmp", "b.bmp", "deep/c.bmp"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (200, 90, 60)).save(path)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def rewrite(path):
    """Change the content of ``path``, but neither its size nor its time."""
    status = path.stat()
    data = path.read_bytes()
    path.write_bytes(data[:-64] + bytes(255 - each for each in data[-64:]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def counts(pixmill, *words):
    ended = pixmill("run", *words, "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])["counts"]
    return found["done"], found["skipped"]


def note_sources(out, **fields):
    """Change ``fields`` of all sources in the ledger."""
    with closing(SqliteLedger(out / ".pixmill" / "ledger.sqlite")) as ledger:
        changed = []
        for record in ledger.records():
            result = unpack(record.result)
            changed.append(replace(record, result=pack(replace(result, source=replace(result.source, **fields)))))
        ledger.import_records(changed)


def archive_of(folder, path):
    with tarfile.open(path, "w") as archive:
        for each in sorted(folder.rglob("*.bmp")):
            archive.add(each, each.relative_to(folder))
    return path


def test_a_source_that_was_changed_with_its_time_restored_is_made_again(pixmill, folder, out):
    counts(pixmill, folder, out)
    before = identities(out)
    rewrite(folder / "a.bmp")
    assert counts(pixmill, folder, out) == (1, 2)
    after = identities(out)
    assert after["a.jpg"] != before["a.jpg"]
    assert (after["b.jpg"], after["deep/c.jpg"]) == (before["b.jpg"], before["deep/c.jpg"])
    assert counts(pixmill, folder, out) == (0, 3)


def test_other_changes_of_files_make_nothing_again(pixmill, folder, out, tmp_path):
    counts(pixmill, folder, out)
    before = identities(out)
    (folder / "a.bmp").chmod(0o600)
    os.link(folder / "b.bmp", tmp_path / "link.bmp")
    (folder / "deep" / "c.bmp").rename(folder / "deep" / "d.bmp")
    (folder / "deep" / "d.bmp").rename(folder / "deep" / "c.bmp")
    planned = json.loads(pixmill("plan", folder, out, "--json").stdout)
    assert (planned["to_do"], planned["to_compare"], planned["found"]) == (0, 3, 3)
    assert counts(pixmill, folder, out) == (0, 3)
    assert identities(out) == before
    planned = json.loads(pixmill("plan", folder, out, "--json").stdout)
    assert (planned["to_compare"], planned["unchanged"]) == (0, 3)  # the new change times were noted


def test_a_touched_source_is_made_again_but_not_with_checksum(pixmill, folder, out):
    counts(pixmill, folder, out)
    before = identities(out)
    os.utime(folder / "a.bmp", ns=(1, 1_000_000_000))
    planned = json.loads(pixmill("plan", folder, out, "--checksum", "--json").stdout)
    assert (planned["to_do"], planned["to_compare"]) == (0, 3)
    assert counts(pixmill, folder, out, "--checksum") == (0, 3)
    assert identities(out) == before
    assert counts(pixmill, folder, out) == (0, 3)  # its time was noted
    os.utime(folder / "a.bmp", ns=(1, 2_000_000_000))
    assert counts(pixmill, folder, out) == (1, 2)


def test_checksum_finds_changes_that_no_time_shows(pixmill, folder, out):
    counts(pixmill, folder, out)
    rewrite(folder / "a.bmp")
    note_sources(out, changed_at=0)  # as on a file system that does not keep them
    assert counts(pixmill, folder, out) == (0, 3)
    assert counts(pixmill, folder, out, "--checksum") == (1, 2)
    assert counts(pixmill, folder, out, "--checksum") == (0, 3)


def test_missing_outputs_are_made_while_contents_are_compared(pixmill, folder, out):
    counts(pixmill, folder, out)
    before = identities(out)
    (out / "a.jpg").unlink()
    os.utime(folder / "a.bmp", ns=(1, 1_000_000_000))
    assert counts(pixmill, folder, out, "--checksum") == (1, 2)
    assert identities(out)["a.jpg"][2] == before["a.jpg"][2]
    assert counts(pixmill, folder, out, "--checksum") == (0, 3)


def test_another_recipe_is_another_output_whatever_the_content(pixmill, folder, out):
    counts(pixmill, folder, out)
    assert counts(pixmill, folder, out, "--checksum", "--quality", "40") == (3, 0)


def test_a_kept_time_makes_a_touched_source_another_one(pixmill, folder, out):
    counts(pixmill, folder, out, "--preserve", "mtime")
    os.utime(folder / "a.bmp", ns=(1, 1_000_000_000))
    assert counts(pixmill, folder, out, "--preserve", "mtime", "--checksum") == (1, 2)
    assert (out / "a.jpg").stat().st_mtime_ns == 1_000_000_000


def test_contents_are_compared_in_datasets_lists_and_archives(pixmill, folder, tmp_path):
    names = tmp_path / "list.txt"
    names.write_text("".join(f"{path}\n" for path in sorted(folder.rglob("*.bmp"))))
    archive = archive_of(folder, tmp_path / "in.tar")
    cases = [(folder, f"tar://{tmp_path / 'shards'}"), (names, tmp_path / "listed"), (archive, tmp_path / "unpacked")]
    for source, destination in cases:
        assert counts(pixmill, source, destination) == (3, 0)
        for path in folder.rglob("*.bmp"):
            os.utime(path, ns=(1, path.stat().st_mtime_ns + 5_000_000_000))
        archive_of(folder, archive)
        assert counts(pixmill, source, destination, "--checksum") == (0, 3), source
    rewrite(folder / "a.bmp")
    archive_of(folder, archive)
    for source, destination in cases:
        assert counts(pixmill, source, destination, "--checksum")[0] == 1, source


def test_rows_without_a_digest_get_one(pixmill, folder, out):
    counts(pixmill, folder, out)
    note_sources(out, version=b"", changed_at=0, digest=b"")  # as in a ledger of an earlier version
    (folder / "a.bmp").chmod(0o600)
    assert counts(pixmill, folder, out) == (0, 3)
    rewrite(folder / "b.bmp")
    assert counts(pixmill, folder, out) == (0, 3)  # nothing to compare it with
    assert counts(pixmill, folder, out, "--checksum") == (0, 3)
    rewrite(folder / "b.bmp")
    assert counts(pixmill, folder, out) == (1, 2)
