"""Outputs that an earlier version named with a shorter hash, or without an extension, keep their names."""

from contextlib import closing

import pytest
from msgspec.structs import replace
from PIL import Image

import pixmill
from pixmill.batch.config.options import resolve
from pixmill.batch.item import Item, output_fingerprint, pack, to_task, unpack
from pixmill.batch.naming.namer import FORMER_HASH_DIGITS
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.batch.planning.dry_run import dry_run
from pixmill.batch.planning.plan import plan
from pixmill.batch.state.ledger_files import LEDGER, find_ledger_files, open_to_write
from pixmill.engine.task import State
from support.invariants import identities, outputs

PATHS = (b"x/a.jpg", b"x/b.png", b"y/c.jpg")


@pytest.fixture
def source(tmp_path):
    for number, name in enumerate(PATHS):
        path = tmp_path / "in" / name.decode()
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + number, 30), (60 * number, 90, 200)).save(path)
    return tmp_path / "in"


def run(source, out, **options):
    return pixmill.run(source, out, workers=1, **{"name": "{hash}.{ext}", **options})


def short(path, template="{hash}.{ext}"):
    return Template.from_builtin(template).render(path, extension="jpg", digits=FORMER_HASH_DIGITS)


def made_earlier(source, out, **options):
    """Run, then give outputs and records the names and ids that the version before gave them."""
    run(source, out, **options)
    made = plan(resolve(str(source), str(out), {"name": "{hash}.{ext}", **options}))
    entries = {item.entry.path: item.entry for item in made.items()}
    for holding in find_ledger_files(out / ".pixmill"):
        with closing(open_to_write(holding.folder)) as ledger:
            ledger.disown([name for name, _ in ledger.owners(b"", b"\xff")])
            ledger.import_records([earlier(record, entries[record.key], made, out) for record in ledger.records(State.DONE)])


def earlier(record, entry, made, out):
    product = unpack(record.result)
    (written,) = product.outputs
    item = Item(entry, (short(record.key, made.config.placement.name.text),))
    (out / written.name.decode()).rename(out / item.names[0].decode())
    written = replace(written, name=item.names[0], fingerprint=output_fingerprint(item, 0, made.rendition_fingerprints[0]))
    return replace(record, id=to_task(item, made.fingerprint).id, result=pack(replace(product, outputs=(written,))))


def hashes(out):
    return {len(name.partition(".")[0].rpartition("/")[2].partition("-")[0]) for name in outputs(out)}


@pytest.mark.parametrize("template", ["{hash}.{ext}", "{dir}/{hash}.{ext}", "{hash}-{stem}.{ext}", "{hash}"])
@pytest.mark.parametrize("shard", ["1/1", "1/2"])
def test_what_was_made_is_neither_renamed_nor_made_again(source, tmp_path, template, shard):
    out, options = tmp_path / "out", {"name": template, "shard": shard}
    made_earlier(source, out, **options)
    before = identities(out)
    assert before
    assert hashes(out) == {FORMER_HASH_DIGITS}
    surveyed = dry_run(plan(resolve(str(source), str(out), options)))
    assert (surveyed.to_do, surveyed.unchanged, surveyed.renamed) == (0, len(before), 0)
    assert run(source, out, **options).counts.skipped == len(before)
    assert identities(out) == before
    assert not list((out / ".pixmill").rglob("*-wal"))


def test_what_is_new_gets_the_longer_hash_beside_them(source, tmp_path):
    out = tmp_path / "out"
    made_earlier(source, out)
    before = identities(out)
    Image.new("RGB", (9, 9)).save(source / "x" / "new.jpg")
    report = run(source, out)
    assert (report.counts.done, report.counts.skipped) == (1, 3)
    (new,) = outputs(out).keys() - before.keys()
    assert len(new) == HASH_DIGITS + len(".jpg")


def test_a_changed_source_is_made_again_in_its_place(source, tmp_path):
    out = tmp_path / "out"
    made_earlier(source, out)
    Image.new("RGB", (70, 9)).save(source / "x" / "a.jpg")
    assert run(source, out).counts.done == 1
    assert set(outputs(out)) == {short(path).decode() for path in PATHS}


def test_a_name_is_kept_also_when_its_output_is_gone(source, tmp_path):
    out = tmp_path / "out"
    made_earlier(source, out)
    (out / short(PATHS[0]).decode()).unlink()
    assert run(source, out).counts.done == 1
    assert short(PATHS[0]).decode() in outputs(out)


def test_a_ledger_that_is_damaged_is_set_aside_as_ever(source, tmp_path):
    out = tmp_path / "out"
    made_earlier(source, out)
    (out / ".pixmill" / LEDGER).write_bytes(b"no ledger at all" * 100)
    assert run(source, out).exit_code in (0, 1)
