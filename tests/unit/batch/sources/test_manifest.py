"""Runs over lists: what they name is made, wherever it is, in whatever order they name it."""

import gzip
import json
import os
import random
import subprocess
import sys
import tracemalloc

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.options import resolve
from pixmill.batch.inspect import status
from pixmill.batch.manifests.grouping import ManifestImage, chunks, record
from pixmill.batch.manifests.parquet import read as read_parquet
from pixmill.batch.planning.plan import plan
from pixmill.batch.source import SourceRequest, kind_of, sources
from pixmill.batch.sources.manifest import Manifest
from pixmill.batch.worker.confinement import sandbox_for
from pixmill.core.errors import AddressError, ConfigError, ReadError
from pixmill.core.external_sort import ExternalSort
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from support.invariants import failed, identities, outputs
from support.web_server import Answer, serving


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(["a.jpg", "a.png", "deep/b.webp", "deep/er/c.bmp", ".hidden.jpg", "nameless"]):
        Image.new("RGB", (40 + number, 30), (40 * number, 100, 200)).save(
            folder / name, **({"format": "PNG"} if "." not in name else {})
        )
    return folder


def contents(folder):
    return {name: (folder / name).read_bytes() for name in outputs(folder)}


def failures(folder):
    with status.open_ledgers(str(folder)) as ledger:
        return [failed.failure.message for failed in status.failures(ledger)]


NAMES = ["a.jpg", "deep/er/c.bmp", "./deep//b.webp", "a.png"]
MADE = {"a.jpg", "a.png.jpg", "deep/b.jpg", "deep/er/c.jpg"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "\n".join(NAMES)),
        ("list.txt", "\r\n".join(["", *NAMES, ""])),
        ("list.lst", "\0".join(NAMES)),
        ("list.csv", "\n".join(["id,path", *(f"{number},{name}" for number, name in enumerate(NAMES))])),
        ("list.csv", "\n".join(["\ufeffFile;id", *(f'"{name}";1' for name in NAMES)])),
        ("list.tsv", "\n".join(["id\timage", *(f"{number}\t{name}" for number, name in enumerate(NAMES))])),
        ("list.jsonl", "\n".join(json.dumps({"id": 1, "path": name}) for name in NAMES)),
        ("list.ndjson", "\n\n".join(json.dumps(name) for name in NAMES)),
    ],
)
def test_every_kind_of_list_makes_the_same(source, tmp_path, name, text):
    (source / name).write_text(text, newline="")
    report = pixmill.run(source / name, tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed) == (4, 0)
    assert set(outputs(tmp_path / "out")) == MADE
    pixmill.run(source, tmp_path / "whole", workers=1, exclude=["nameless"])
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("is_dictionary", [False, True])
def test_rows_of_parquet_have_the_limits_of_those_of_csv(tmp_path, is_dictionary):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    cells = {f"text{number}": ["x" * 131_072 if number < long else "" for long in (0, 31, 33, 1)] for number in range(33)}
    cells["other"] = ["", "", "", "y" * 131_073]
    columns = {name: pyarrow.array(values) for name, values in cells.items()}
    if is_dictionary:
        columns = {name: values.dictionary_encode() for name, values in columns.items()}
    parquet.write_table(pyarrow.table({"path": ["a", "b", "c", "d"], **columns}), tmp_path / "list.parquet")
    rows = list(read_parquet(tmp_path / "list.parquet", None, shown="list.parquet"))
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert [row.text for row in rows] == [b"a", b"b", b"", b""]
    assert all("131,072 bytes in a cell" in row.error for row in rows[2:])
    assert len(rows[1].columns) > 31 * 131_072


def test_a_list_in_parquet_is_read(source, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"url": NAMES, "caption": ["one", "two", None, "four"], "embedding": [[0.1, 0.2]] * 4, "data": [b"x"] * 4}
    parquet.write_table(pyarrow.table(columns), source / "list.parquet")
    report = pixmill.run(source / "list.parquet", tmp_path / "out", workers=1, index=str(tmp_path / "index.jsonl"))
    assert report.counts.done == 4
    rows = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    assert [row["columns"] for row in rows] == [{"caption": "one"}, {"caption": "four"}, {"caption": None}, {"caption": "two"}]


def test_a_second_run_does_what_changed_and_nothing_else(source, tmp_path):
    (source / "list.txt").write_text("\n".join(NAMES))
    out = tmp_path / "out"
    pixmill.run(source / "list.txt", out, workers=1)
    before = identities(out)
    assert pixmill.run(source / "list.txt", out, workers=1).counts.skipped == 4
    Image.new("RGB", (10, 10), "red").save(source / "a.png")
    (source / "list.txt").write_text("\n".join(reversed(NAMES)))
    report = pixmill.run(source / "list.txt", out, workers=1)
    assert (report.counts.done, report.counts.skipped) == (1, 3)
    assert {name for name, identity in identities(out).items() if before[name] != identity} == {"a.png.jpg"}


def test_what_a_list_names_is_taken_whatever_it_is_called(source, tmp_path):
    (source / "list.txt").write_text(".hidden.jpg\nnameless\nlist.txt")
    report = pixmill.run(source / "list.txt", tmp_path / "out", workers=1)
    assert set(outputs(tmp_path / "out")) == {".hidden.jpg", "nameless.jpg"}
    assert (report.counts.done, report.counts.failed) == (2, 1)
    assert report.ignored == {}


def test_files_elsewhere_are_mirrored_from_the_root_and_stay_below_the_output(source, tmp_path):
    other = tmp_path / "other.jpg"
    Image.new("RGB", (8, 8)).save(other)
    (source / "deep" / "list.txt").write_text(f"../a.jpg\n{other}\n{source}/deep/b.webp\n../../../../../../../../..{other}")
    report = pixmill.run(source / "deep" / "list.txt", tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed) == (3, 0)
    assert set(outputs(tmp_path / "out")) == {"b.jpg", f"{source}/a.jpg"[1:], f"{other}"[1:]}


def test_a_row_that_names_nothing_is_a_failed_image_and_the_rest_goes_on(source, tmp_path):
    rows = [
        "path",
        "a.jpg",
        '""',
        "gone.jpg",
        "deep",
        "ftp://example.org/a.jpg",
        "memory://x/y",
        "https://user:pw@example.org/a.jpg",
        '"a',
        'b.jpg"',
    ]
    (source / "list.csv").write_text("\n".join(rows))
    report = pixmill.run(source / "list.csv", tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed, report.exit_code) == (1, 7, 1)
    said = "\n".join(failures(tmp_path / "out"))
    for sentence in ["row 2: column path is empty", "ftp://", "memory://", "user name or password"]:
        assert sentence in said
    assert "pw@" not in said


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.png," + "x" * 5_000_000, "longer than 4,194,304 characters"),
        ("a.png" + "," * 5_000_000, "longer than 4,194,304 characters"),
        ("a.png," + "x" * 200_000, "larger than field limit"),
    ],
)
def test_a_row_that_is_too_long_is_a_failed_image_and_the_rest_goes_on(source, tmp_path, row, reason):
    (source / "list.csv").write_text(f"path,caption\na.jpg,fine\n{row}\ndeep/b.webp,fine\n")
    report = pixmill.run(source / "list.csv", tmp_path / "out", workers=1)
    assert report.counts.done == 2
    assert any(reason in said for said in failures(tmp_path / "out"))


def test_a_line_of_json_that_is_no_text_is_a_failed_image_and_the_rest_goes_on(source, tmp_path):
    (source / "list.jsonl").write_bytes(b'{"path": "a.jpg"}\n{"path": "\xe9.jpg"}\n"\xe9.jpg"\n{"path": "a.png"\n"deep/b.webp"\n')
    report = pixmill.run(source / "list.jsonl", tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed, report.exit_code) == (2, 3, 1)
    assert all("the line is not a JSON object" in said for said in failures(tmp_path / "out"))


def test_what_is_named_twice_is_made_once(source, tmp_path):
    (source / "list.txt").write_text("a.jpg\n./a.jpg\n" + f"{source}/deep/../a.jpg\n")
    assert pixmill.run(source / "list.txt", tmp_path / "out", workers=1).counts.done == 1


def test_no_input_is_written_over(source, tmp_path):
    (source / "list.txt").write_text("a.jpg\ndeep/b.webp")
    (tmp_path / "link").symlink_to(source)
    before = identities(source)
    for destination in (source, tmp_path / "link"):
        report = pixmill.run(source / "list.txt", destination, workers=1, state=str(tmp_path / "state"))
        assert report.counts.done == 0
        assert report.counts.failed == 2
    assert {name: identity for name, identity in identities(source).items() if name in before} == before


@pytest.mark.parametrize(
    ("name", "text", "options", "sentence"),
    [
        ("list.csv", "a,b\n1,2", {}, "no column named path, url, image, file, key; it has: a, b"),
        ("list.csv", "path,b\n1,2", {"column": "pat"}, "no column 'pat'; did you mean 'path'"),
        ("list.csv", "path,b,b\n1,2,3", {}, "two columns with the same name"),
        ("list.jsonl", '{"a": 1}', {}, "it has: a"),
        ("list.jsonl", "path\na.jpg", {}, "not a list of JSON objects"),
        ("list.jsonl", '"\udce9"', {}, "not a list of JSON objects"),
        ("list.txt", "", {}, "no images found"),
        ("list.parquet", "path", {}, "not a Parquet file"),
    ],
)
def test_a_list_that_is_none_is_refused_before_anything_is_written(source, tmp_path, name, text, options, sentence):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (source / name).write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigError, match=sentence):
        pixmill.run(source / name, tmp_path / "out", workers=1, **options)
    assert not (tmp_path / "out").exists()


def test_the_column_can_be_said(source, tmp_path):
    (source / "list.csv").write_text("path,thumb\nnothing.jpg,a.jpg")
    assert pixmill.run(source / "list.csv", tmp_path / "out", workers=1, column="thumb").counts.done == 1


def test_other_columns_are_carried_into_the_index_and_a_change_of_them_makes_no_image_again(source, tmp_path):
    out, index = tmp_path / "out", tmp_path / "index.jsonl"
    (source / "list.csv").write_text("path,caption,licence\na.jpg,A day,CC0\na.png,,")
    pixmill.run(source / "list.csv", out, workers=1, index=str(index))
    columns = {row["source"]: row["columns"] for row in map(json.loads, index.read_text().splitlines())}
    assert columns == {"a.jpg": {"caption": "A day", "licence": "CC0"}, "a.png": {"caption": "", "licence": ""}}
    before = identities(out)
    (source / "list.csv").write_text("path,caption,licence\na.jpg,A night,CC0\na.png,,")
    report = pixmill.run(source / "list.csv", out, workers=1, index=str(index))
    assert (report.counts.done, report.counts.skipped) == (1, 1)
    assert identities(out) == before
    assert json.loads(index.read_text().splitlines()[0])["columns"]["caption"] == "A night"


def test_lists_come_through_standard_input(source, tmp_path):
    command = [sys.executable, "-m", "pixmill", "run", "-", str(tmp_path / "out"), "--workers", "1", "--json"]
    names = b"\0".join([b"a.jpg", os.fsencode(source / "a.png"), b"deep/b.webp"])
    done = subprocess.run(command, input=names, cwd=source, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(outputs(tmp_path / "out")) == {"a.jpg", "a.png.jpg", "deep/b.jpg"}


@pytest.fixture
def web(source):
    picture = (source / "a.jpg").read_bytes()
    answers = {
        "/a.jpg": Answer(picture),
        "/photo/12?size=large": Answer(picture, headers={"ETag": '"1"'}),
        "/photo/12?size=small": Answer((source / "a.png").read_bytes()),
        "/%C3%A4/b%20c.jpg": Answer(picture),
        "/busy.jpg": Answer(status=503, headers={"Retry-After": "0"}),
    }
    with serving(answers) as server:
        server.answers = answers
        yield server


def test_urls_are_mirrored_as_host_and_path(source, tmp_path, web):
    host = web.url.removeprefix("http://")
    targets = ["/a.jpg", "/photo/12?size=large", "/photo/12?size=small", "/ä/b c.jpg", "/a.jpg#part", "/../%2e%2e/gone.jpg"]
    (tmp_path / "urls.txt").write_text("\n".join([*(web.url + target for target in targets), f"{source}/a.png"]))
    out = tmp_path / "out"
    report = pixmill.run(tmp_path / "urls.txt", out, workers=1, allow_private_hosts=True)
    assert (report.counts.done, report.counts.failed) == (5, 1)
    assert report.bytes_in > 1000
    made = set(outputs(out))
    (told_apart,) = (name for name in made if "~" in name)
    assert made == {f"{host}/a.jpg", f"{host}/photo/12.jpg", f"{host}/ä/b c.jpg", "in/a.jpg", told_apart}
    assert told_apart.startswith(f"{host}/photo/12~")
    before = identities(out)
    lines = (tmp_path / "urls.txt").read_text().splitlines()
    (tmp_path / "urls.txt").write_text("\n".join(random.Random(3).sample(lines, len(lines))))
    asked = len(web.asked)
    assert pixmill.run(tmp_path / "urls.txt", out, workers=1, allow_private_hosts=True).counts.skipped == 5
    assert identities(out) == before
    assert len(web.asked) == asked


def test_private_hosts_are_refused_unless_they_are_allowed(tmp_path, web):
    (tmp_path / "urls.txt").write_text(f"{web.url}/a.jpg")
    refused = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=1)
    assert set(refused.failures) == {"read-private"}
    assert web.asked == []


def test_a_list_of_a_stranger_may_name_nothing_but_urls_of_the_web(source, tmp_path, web):
    rows = [f"{web.url}/a.jpg", str(source / "a.png"), "in/a.png", f"file://{source}/a.png", "s3://bucket/a.jpg", "../a.jpg"]
    (tmp_path / "urls.txt").write_text("\n".join(rows))
    report = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=1, allow_private_hosts=True, web_only=True)
    assert (report.counts.done, report.counts.failed) == (1, 5)
    failures = [record.failure.message for record in failed(tmp_path / "out").values()]
    assert [each.endswith("not a URL of the web, which --web-only asks for") for each in failures] == [True] * 5
    assert len(outputs(tmp_path / "out")) == 1


def test_one_url_is_a_list_of_one(tmp_path, web):
    report = pixmill.run(f"{web.url}/a.jpg?x", tmp_path / "none", workers=1, allow_private_hosts=True)
    assert set(report.failures) == {"read-vanished"}
    assert pixmill.run(f"{web.url}/a.jpg", tmp_path / "out", workers=1, allow_private_hosts=True).counts.done == 1


def test_a_host_that_asks_for_fewer_requests_gets_them_and_no_image_fails(source, tmp_path, web):
    answers = iter([Answer(status=503, headers={"Retry-After": "0"}), Answer(status=429), Answer((source / "a.jpg").read_bytes())])
    web.answers["/busy.jpg"] = lambda _: next(answers)
    (tmp_path / "urls.txt").write_text(f"{web.url}/busy.jpg")
    report = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=1, allow_private_hosts=True)
    assert (report.counts.done, report.counts.failed) == (1, 0)


def test_no_host_gets_more_requests_at_a_time_than_it_should(source, tmp_path, web):
    slow = Answer((source / "a.jpg").read_bytes(), pause=0.1)
    for number in range(8):
        web.answers[f"/{number}.jpg"] = slow
    (tmp_path / "urls.txt").write_text("\n".join(f"{web.url}/{number}.jpg" for number in range(8)))
    report = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=3, allow_private_hosts=True, per_host=1, host_rate="50/s")
    assert report.counts.done == 8
    assert web.most_at_once == 1


def test_what_breaks_on_its_way_is_read_again(source, tmp_path, web):
    whole = Answer((source / "a.jpg").read_bytes())
    firsts = {"/cut.jpg": Answer(whole.body, cut=True), "/bad.jpg": Answer(status=502)}
    answers = {path: iter([first, whole]) for path, first in firsts.items()}
    web.answers.update({path: lambda asked: next(answers[asked.target]) for path in answers})
    (tmp_path / "urls.txt").write_text("\n".join(f"{web.url}{path}" for path in answers))
    report = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=1, allow_private_hosts=True)
    assert (report.counts.done, report.counts.failed, report.retries) == (2, 0, 2)
    pixmill.run(source / "a.jpg", tmp_path / "whole", workers=1)
    assert set(contents(tmp_path / "out").values()) == set(contents(tmp_path / "whole").values())


def test_a_server_that_hangs_holds_no_worker(source, tmp_path, web):
    finished = []
    web.answers["/hangs.jpg"] = Answer(b"12", pause=600)
    web.answers["/last.jpg"] = lambda _: Answer((source / "a.jpg").read_bytes())
    (tmp_path / "urls.txt").write_text("\n".join(f"{web.url}/{name}.jpg" for name in ("hangs", "last")))
    with pixmill.open_run(tmp_path / "urls.txt", tmp_path / "out", workers=1, allow_private_hosts=True, read_timeout="1s") as run:
        finished.extend((type(outcome).__name__, outcome.attempts) for outcome in run)
    assert finished == [("Done", 1), ("Failed", 3)]
    # both are requested at once, by a thread each
    assert sorted(asked.target for asked in web.asked[:2]) == ["/hangs.jpg", "/last.jpg"]
    assert [asked.target for asked in web.asked[2:]] == ["/hangs.jpg", "/hangs.jpg"]


def listed(tmp_path, rows):
    (tmp_path / "list.txt").write_bytes(b"\n".join(rows))
    source = Manifest.open(SourceRequest(address=Address.parse(tmp_path / "list.txt")))
    return list(source.folders(lambda path, error: None))  # noqa: ARG005  # none is refused


def test_names_do_not_depend_on_the_order_of_a_list(tmp_path):
    rows = [b"https://example.org/%d/image.php?id=%d" % (number % 7, number // 3) for number in range(9_000)]
    rows += [b"https://example.org/1/image~0123456789abcdef.php", b"http://example.org/1/image.php?id=5"]
    one = listed(tmp_path, rows)
    random.Random(7).shuffle(rows)
    assert listed(tmp_path, rows) == one
    paths = [entry.path for listing in one for entry in listing]
    assert len(set(paths)) == len(paths)


def test_a_folder_of_any_size_comes_in_parts_that_cannot_want_one_name(tmp_path):
    names = [b"x/%05d.%s" % (number, kind) for number in range(4_000) for kind in (b"jpg", b"PNG", b"jpg.png")]
    parts = listed(tmp_path, names)
    assert max(map(len, parts)) < 1_100
    assert sum(map(len, parts)) == len(names)
    stems = [{entry.path.partition(b".")[0] for entry in part} for part in parts]
    assert sum(map(len, stems)) == len(set().union(*stems)) == 4_000


def test_nobody_is_asked_for_an_address_that_is_not_there(tmp_path):
    with pytest.raises(AddressError, match="does not exist"):
        pixmill.run(tmp_path / "list.txt", tmp_path / "out")


def test_names_that_are_not_text_are_names(tmp_path, source):
    odd = os.fsencode(source) + b"/\xff\xfe.jpg"
    os.rename(source / "a.jpg", odd)  # noqa: PTH104  # bytes
    (source / "list.csv").write_bytes(b"path,note\n\xff\xfe.jpg,\xff\n")
    report = pixmill.run(source / "list.csv", tmp_path / "out", workers=1)
    assert report.counts.done == 1
    assert (os.fsencode(tmp_path) + b"/out/\xff\xfe.jpg") in [os.fsencode(path) for path in (tmp_path / "out").iterdir()]


def peak_of(rows):
    images = (ManifestImage(b"x/%08d.jpg" % (number * 7919 % rows), b"\0https://x/%d" % number) for number in range(rows))
    tracemalloc.start()
    try:
        count = sum(len(chunk) for chunk in chunks(ExternalSort(map(record, images), memory_limit=3_000_000), on_invalid=print))
        assert count == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_list_of_any_length_takes_the_same_memory():
    short, long = peak_of(15_000), peak_of(60_000)  # both are more than stays in memory
    assert long < 1.5 * short


def test_looking_at_a_folder_loads_nothing_for_the_web_or_for_tables(tmp_path):
    program = f"""
import sys
from pixmill.batch.source import SourceRequest, open_source
from pixmill.storage.address import Address

open_source(SourceRequest(address=Address.parse({str(tmp_path)!r})))
print(*sorted({{"ssl", "http.client", "pyarrow", "obstore", "tarfile"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip() == ""


def test_a_list_is_planned_and_tried_again_like_a_folder(source, tmp_path):
    (source / "list.txt").write_text("a.jpg\ngone.jpg")
    out, pixmill_run = str(tmp_path / "out"), [sys.executable, "-m", "pixmill"]
    planned = subprocess.run([*pixmill_run, "plan", str(source / "list.txt"), out], check=True, capture_output=True, text=True)
    assert "2 images" in planned.stdout
    assert subprocess.run([*pixmill_run, "run", str(source / "list.txt"), out], check=False, capture_output=True).returncode == 1
    (source / "a.png").rename(source / "gone.jpg")
    assert subprocess.run([*pixmill_run, "retry", out], check=False, cwd="/", capture_output=True).returncode == 0
    assert set(outputs(tmp_path / "out")) == {"a.jpg", "gone.jpg"}


@pytest.mark.parametrize("options", [{"format": "keep"}, {"all_files": True}])
def test_what_cannot_be_looked_into_ahead_fails_alone(source, tmp_path, options):
    (source / "list.txt").write_text("a.jpg\ngone.jpg")
    report = pixmill.run(source / "list.txt", tmp_path / "out", workers=1, **options)
    assert (report.counts.done, report.counts.failed) == (1, 1)


def test_objects_and_files_come_together(source, tmp_path, s3):
    bucket = open_storage(f"s3://{s3}")
    bucket.write(b"listed/100% b.jpg", (source / "a.jpg").read_bytes(), durable=True)
    (source / "list.txt").write_text(f"a.png\ns3://{s3}/listed/100% b.jpg\ns3://{s3}/listed/gone.jpg")
    report = pixmill.run(source / "list.txt", tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed, set(report.failures)) == (2, 1, {"read-vanished"})
    assert set(outputs(tmp_path / "out")) == {"a.jpg", f"{s3}/listed/100% b.jpg"}


@pytest.mark.parametrize(("rows", "needs_network"), [(["a.jpg", "/b.jpg"], False), (["a.jpg", "https://example.org/b.jpg"], True)])
def test_a_list_that_has_been_read_says_whether_a_worker_needs_the_network(source, tmp_path, rows, needs_network):
    (source / "list.txt").write_text("\n".join(rows))
    made = plan(resolve(str(source / "list.txt"), str(tmp_path / "out")))
    next(made.tasks())
    assert sandbox_for(made.handler_options, made.config.recipe).network is needs_network
    storage = open_storage(made.handler_options.source)
    with pytest.raises(AddressError if not needs_network else ReadError):
        storage.read(b"\0http://127.0.0.1/a.jpg", limit=1)


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_bucket_and_a_key_are_the_address_of_an_object(tmp_path, name, compress):
    rows = {"list.csv": b"Bucket,Key\nphotos,a b.jpg\nphotos,c/d.jpg\n", "list.jsonl": b'{"bucket":"photos","key":"c/d.jpg"}\n'}
    path = tmp_path / (name if compress is bytes else f"{name}.gz")
    path.write_bytes(compress(rows[name]))
    address = Address.parse(path)
    assert kind_of(address, sources()) is Manifest
    chunks = Manifest.open(SourceRequest(address=address)).folders(lambda *each: pytest.fail(str(each)))
    entries = [entry for chunk in chunks for entry in chunk]
    assert [each.locator for each in entries if each.locator][-1] == b"\0s3://photos/c/d.jpg"
    assert entries[0].path.startswith(b"photos/")


def test_a_compressed_list_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"path\n" + b"".join(b"%d.jpg\n" % number for number in range(1000)))[:-20])
    with pytest.raises(ConfigError, match="damaged or cut off"):
        list(Manifest.open(SourceRequest(address=Address.parse(path))).folders(lambda *_: None))
