"""Every hint can be followed as it is printed, and then the image is done; nothing that is done is done again.

Each case makes images that fail with one code, beside some that are done and one that stays damaged.
"""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from PIL import Image

import pixmill
from pixmill.core import errors
from support.processes import wait_until
from support.web_server import Answer, Asked, serving

DONE, DAMAGED = 2, 1
COMMAND_WORDS = (sys.executable, "-m", "pixmill")
COMMAND = re.compile(r"pixmill retry [^;\n]+$", re.MULTILINE)
PACKAGE = Path(pixmill.__file__).parent


class Case(msgspec.Struct):
    """``fail`` makes the images in a folder and returns the words after SRC and DST with which ``count`` of them fail.

    ``again`` are the options with which the same command is to do them.
    """

    code: str
    fail: Callable[[Path, ExitStack], tuple[str, ...]]
    again: tuple[str, ...]
    count: int = 1
    source: str = "photos"


def picture(path: Path, *, size: tuple[int, int] = (64, 48), **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 40).convert("RGB").save(path, **options)


def too_many_pixels(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "large.jpg", size=(120, 100))
    picture(folder / "larger.jpg", size=(130, 110))  # the hint must be enough for both
    return ("--max-pixels", "10000")


def too_long(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "long.jpg", size=(200, 50))
    picture(folder / "longer.jpg", size=(300, 60))  # and has too many pixels, too
    return ("--max-side", "150", "--max-pixels", "10000")


def too_many_scans(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "progressive.jpg", progressive=True)
    return ("--max-scans", "2")


def too_many_frames(folder: Path, _: ExitStack) -> tuple[str, ...]:
    frames = [Image.effect_noise((40, 30), 40) for _ in range(5)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    return ("--animated", "keep", "--format", "webp", "--max-frames", "3")


def too_much_metadata(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "wordy.jpg", exif=b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0" + bytes(5000))
    return ("--max-metadata", "4kB")


def name_too_long(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / ("a" * 250 + ".jpg"))
    return ("--name", "{stem}-larger.{ext}")


def too_many_bytes(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "heavy.png", size=(300, 200))
    return ("--max-source-bytes", "20kB")


def too_much_memory(folder: Path, _: ExitStack) -> tuple[str, ...]:
    Image.new("RGB", (6000, 4000), "teal").save(folder / "heavy.webp")
    return ("--memory", "300MB", "--workers", "2")


def truncated(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "cut.jpg", size=(300, 200))
    os.truncate(folder / "cut.jpg", (folder / "cut.jpg").stat().st_size // 2)
    return ()


def drawing(folder: Path, _: ExitStack) -> tuple[str, ...]:
    (folder / "drawing.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="40"><rect width="30" height="10"/></svg>'
    )
    write_list(folder, [])
    return ()


def name_taken(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "mine.jpg")
    (folder.parent / "out").mkdir()
    (folder.parent / "out" / "mine.jpg").write_bytes(b"not by pixmill")
    return ()


def link_in_output(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder / "sub" / "linked.jpg")
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "out").mkdir()
    (folder.parent / "out" / "sub").symlink_to("../elsewhere")
    return ()


def link_in_list(folder: Path, _: ExitStack) -> tuple[str, ...]:
    picture(folder.parent / "elsewhere.jpg")
    (folder / "link.jpg").symlink_to("../elsewhere.jpg")
    write_list(folder, [])
    return ()


def private_host(folder: Path, stack: ExitStack) -> tuple[str, ...]:
    server = stack.enter_context(serving({"/p.jpg": Answer((folder / "p0.jpg").read_bytes())}))
    write_list(folder, [f"{server.url}/p.jpg"])
    return ()


def slow_host(folder: Path, stack: ExitStack) -> tuple[str, ...]:
    def answer(_: Asked) -> Answer:
        return Answer((folder / "p0.jpg").read_bytes(), pause=4.0)

    server = stack.enter_context(serving({"/slow.jpg": answer}))
    write_list(folder, [f"{server.url}/slow.jpg"])
    return ("--allow-private-hosts", "--timeout", "1500ms", "--attempts", "1")


def write_list(folder: Path, urls: list[str]) -> None:
    names = [f"photos/{path.name}" for path in sorted(folder.iterdir())]
    (folder.parent / "list.txt").write_text("".join(f"{each}\n" for each in [*names, *urls]))


CASES = (
    Case("limit-pixels", too_many_pixels, ("--max-pixels", "1MP"), count=2),
    Case("limit-side", too_long, ("--max-side", "300", "--max-pixels", "1MP"), count=2),
    Case("limit-scans", too_many_scans, ("--max-scans", "50")),
    Case("limit-frames", too_many_frames, ("--max-frames", "5")),
    Case("limit-metadata", too_much_metadata, ("--max-metadata", "1MB")),
    Case("limit-bytes", too_many_bytes, ("--max-source-bytes", "1MB")),
    Case("limit-memory", too_much_memory, ("--memory", "1GB")),
    Case("truncated", truncated, ("--allow-truncated",)),
    Case("unsupported", drawing, ("--allow", "svg"), source="list.txt"),
    Case("exists", name_taken, ("--existing", "replace")),
    Case("write-name", name_too_long, ("--portable-names",)),
    Case("write-link", link_in_output, ("--follow-output-links",)),
    Case("read-not-a-file", link_in_list, ("--follow-symlinks",), source="list.txt"),
    Case("read-private", private_host, ("--allow-private-hosts",), source="list.txt"),
    Case("timeout", slow_host, ("--timeout", "20s"), source="list.txt"),
)

#: the codes whose hint is something else than options, or cannot be shown on one machine, with the reason
OTHER_REMEDIES = {
    "missing-extra": "install the extra, then run again: see the test below",
    "interrupted": "plain retry: see the test below",
    "changed": "run again: see the test below",
    "read-changed": "run again: the same rule as for changed",
    "read": "make the folder readable, which only its owner can",
    "read-url": "correct the URL in the list",
    "archive-member": "unpack the archive, or create it again",
    "archive-damaged": "create the archive again",
    "reserved": "rename the source: another --name renames every output",
    "max-size": "give a larger --max-size, which makes every output again",
    "too-large": "choose another size or format, which makes every output again",
    "transform": "repair the file that a step of the recipe reads",
    "node-lost": "takes a cluster that loses three nodes",
    "not-an-image": "allow a format of a package: see tests/packages",
    "read-key": "rename the object: see tests/faults/test_odd_buckets.py",
    "write-denied": "change the permissions of a bucket",
}


@pytest.fixture
def case(request, tmp_path) -> Iterator[tuple[Case, tuple[str, ...]]]:
    folder = tmp_path / "photos"
    for number in range(DONE):
        picture(folder / f"p{number}.jpg")
    (folder / "damaged.jpg").write_bytes(b"no picture")
    with ExitStack() as stack:
        yield request.param, request.param.fail(folder, stack)


def report_of(result) -> dict[str, object]:
    return next(line for line in map(json.loads, result.stdout.splitlines()) if line.get("event") == "report")


def outputs(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("*.*") if path.is_file()}


def run_and_fail(pixmill, case: Case, words: tuple[str, ...]):
    result = pixmill("run", case.source, "out", *words)
    assert result.returncode == 1, result.stderr
    failed = [json.loads(line)["failure"]["code"] for line in pixmill("failures", "out", "--json").stdout.splitlines()]
    assert sorted(failed) == sorted([case.code] * case.count + ["not-an-image"])
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code, indirect=True)
def test_the_command_of_a_hint_does_what_failed_and_nothing_again(pixmill, case, tmp_path):
    case, words = case
    result = run_and_fail(pixmill, case, words)
    (command,) = [line for line in COMMAND.findall(result.stderr) if line != "pixmill retry out"]
    assert command in pixmill("failures", "out").stderr
    before = outputs(tmp_path / "out")
    result = pixmill(*shlex.split(command)[1:], "--json")
    assert f"retrying {case.count + DAMAGED} failed images\n" in result.stderr
    counts = report_of(result)["counts"]
    assert (counts["found"], counts["done"], counts["failed"]) == (case.count + DAMAGED, case.count, DAMAGED)
    assert all(outputs(tmp_path / "out")[name] == file for name, file in before.items() if name != "mine.jpg")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code, indirect=True)
def test_the_same_run_with_the_option_tries_what_failed_for_want_of_it_and_nothing_else(pixmill, case):
    case, words = case
    run_and_fail(pixmill, case, words)
    words = (*without(words, case.again), *case.again)
    again = DAMAGED if "--allow" in case.again else 0  # what is no image to one recipe may be one to another that allows more
    (planned,) = map(json.loads, pixmill("plan", case.source, "out", *words, "--json").stdout.splitlines())
    assert (planned["to_do"], planned["unchanged"], planned["failed_before"]) == (case.count + again, DONE, DAMAGED - again)
    report = report_of(pixmill("run", case.source, "out", *words, "--json"))
    assert (report["counts"]["done"], report["counts"]["skipped"], report["remembered"]) == (case.count, DONE, DAMAGED - again)


def without(words: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``words`` without the options that are in ``options``, and their values."""
    kept = list(words)
    for option in options:
        if option in kept:
            place = kept.index(option)
            del kept[place : place + 2]
    return tuple(kept)


def from_environment(pixmill, _: Path) -> None:
    pixmill("run", "list.txt", "out", env={"PIXMILL_ALLOW_PRIVATE_HOSTS": "1"})


def from_file(pixmill, folder: Path) -> None:
    (folder / "job.toml").write_text("allow_private_hosts = true\n")
    pixmill("run", "list.txt", "out", "--config", "job.toml")


def from_python(_: object, folder: Path) -> None:
    pixmill.run(folder / "list.txt", folder / "out", workers=1, allow_private_hosts=True)


@pytest.mark.parametrize("again", [from_environment, from_file, from_python])
@pytest.mark.parametrize("case", [case for case in CASES if case.code == "read-private"], ids=["read-private"], indirect=True)
def test_an_option_has_the_same_effect_wherever_it_comes_from(pixmill, case, again, tmp_path):
    run_and_fail(pixmill, *case)
    again(pixmill, tmp_path)
    left = [json.loads(line)["failure"]["code"] for line in pixmill("failures", "out", "--json").stdout.splitlines()]
    assert left == ["not-an-image"]


@pytest.mark.parametrize("case", [case for case in CASES if case.code == "limit-side"], ids=["limit-side"], indirect=True)
def test_an_option_that_prevents_other_failures_tries_nothing_again(pixmill, case):
    case, words = case
    run_and_fail(pixmill, case, words)
    report = report_of(pixmill("run", case.source, "out", *words, "--allow-truncated", "--workers", "1", "--json"))
    assert (report["counts"]["done"], report["remembered"]) == (0, case.count + DAMAGED)


def test_an_option_of_a_retry_holds_for_the_next_and_the_rest_of_the_configuration_stays(pixmill, photos, tmp_path):
    picture(photos / "large.jpg", size=(120, 100))
    picture(photos / "cut.jpg", size=(300, 200))
    os.truncate(photos / "cut.jpg", (photos / "cut.jpg").stat().st_size // 2)
    assert pixmill("run", photos, "out", "--format", "webp", "--max-pixels", "10000").returncode == 1
    assert pixmill("retry", "out", "--max-pixels", "1MP").returncode == 1
    assert pixmill("retry", "out", "--allow-truncated").returncode == 0
    assert {path.suffix for path in (tmp_path / "out").glob("[!.]*")} == {".webp"}
    assert len(list((tmp_path / "out").glob("*.webp"))) == 6


def test_what_cannot_be_decoded_even_in_part_gets_no_hint_that_does_not_help(pixmill, photos):
    data = (photos / "p0.jpg").read_bytes()
    (photos / "p0.jpg").write_bytes(data[: data.index(b"\xff\xda")])
    result = pixmill("run", photos, "out", "--allow-truncated")
    assert "truncated: 1 (p0.jpg)" in result.stderr
    assert "--allow-truncated" not in result.stderr


def test_an_image_is_tried_again_once_the_missing_extra_is_installed(pixmill, photos, tmp_path):
    pytest.importorskip("pillow_jxl")
    Image.new("RGB", (40, 30)).save(photos / "modern.jxl")
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "pillow_jxl.py").write_text("raise ImportError('not installed')\n")
    absent = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "absent"), *filter(None, sys.path)])}
    result = pixmill("run", "photos", "out", env=absent)
    assert "pip install 'pixmill[jxl]'" in result.stderr
    report = report_of(pixmill("run", "photos", "out", "--json"))
    assert (report["counts"]["done"], report["counts"]["skipped"], report["counts"]["failed"]) == (1, 4, 0)


def test_an_image_that_is_suspected_of_killing_runs_is_tried_by_a_retry(pixmill, photos, tmp_path, clean_environment):
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer((photos / "p0.jpg").read_bytes(), pause=30 if len(asked) == 1 else 0)

    # a name that depends on the content has the worker itself read it
    words = ("run", "list.txt", "out", "--allow-private-hosts", "--interruptions", "1", "--name", "{date}-{stem}.{ext}")
    with serving({"/p.jpg": answer}) as server:
        (tmp_path / "list.txt").write_text(f"{server.url}/p.jpg\n")
        run = subprocess.Popen([*COMMAND_WORDS, *words], cwd=tmp_path, env=clean_environment, stderr=subprocess.DEVNULL)
        wait_until(lambda: asked)
        run.kill()
        run.wait()
        result = pixmill(*words)
        assert "then: pixmill retry out\n" in result.stderr
        assert pixmill("retry", "out").returncode == 0


def test_a_retry_without_its_source_changes_nothing(pixmill, photos):
    assert pixmill("run", photos, "out", "--max-side", "50").returncode == 1
    shutil.move(photos, photos.with_name("away"))
    result = pixmill("retry", "out")
    assert result.returncode == 2
    assert "photos" in result.stderr
    assert pixmill("failures", "out").stdout.count("limit-side") == 4


def hinted_codes() -> Iterator[str]:
    """Yield the code of every call in the package that makes a failure of one image with a hint."""
    families = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    makers = {
        name
        for name, kind in families.items()
        if issubclass(kind, errors.ImageError | errors.WorkerError) and name not in ("ImageError", "WorkerError")
    }
    for path in PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in {*makers, "Failure"}:
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            if not {"hint", "options"} & given.keys() or "fatal" in given or "testing" in path.parts:
                continue
            yield from codes_of(given.get("code"), families.get(call.func.id))


def codes_of(code: ast.expr | None, family: type | None) -> Iterator[str]:
    if code is None:
        yield family.code
    elif isinstance(code, ast.Constant):
        yield code.value
    elif isinstance(code, ast.JoinedStr):
        yield from (each for each in family.codes if each.startswith(code.values[0].value))
    elif isinstance(code, ast.Name):
        yield {"LIMIT_MEMORY": "limit-memory", "NODE_LOST": "node-lost", "TIMEOUT": "timeout"}[code.id]


def test_every_hint_is_followed_by_a_test_or_listed_with_the_reason_why_not():
    codes = {*hinted_codes(), "missing-extra", "node-lost"}
    assert codes == {*(case.code for case in CASES), *OTHER_REMEDIES}
