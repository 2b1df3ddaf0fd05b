"""The first page and the tutorials, typed from top to bottom as they stand: each command ends and prints as the page says."""

import json
import re
import shlex

import obstore
import pytest
from obstore.store import S3Store
from PIL import Image

from pixmill.batch.config.options import options
from pixmill.cli.command import commands, request
from support.everyday_desk import Desk, shell_environment
from support.tutorials import PAGES, REPOSITORY, blocks, shape, steps

FIRST = "docs/index.md"
SAMPLES = (
    *("islands-cmyk.jpg", "islands.jpg", "lights.jpg", "mountains.jpg", "sea.jpg"),
    *("glass-ball.png", "relief-16-bit.png", "rings.gif"),
)
DOCKER = "docs/tutorials/docker.md"
SETTINGS_OF_COMPOSE = {"INPUT_DIR", "OUTPUT_DIR", "UID", "GID"}


@pytest.fixture
def desk(tmp_path, clean_environment):
    folder = tmp_path / "desk"
    folder.mkdir()
    environment = {**clean_environment, "TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    return Desk(folder, (), shell_environment(tmp_path / "bin", environment))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if "buckets" not in page])
def test_a_page_works_from_top_to_bottom(page, desk):
    if page != FIRST:
        small_samples(desk.folder / "photos")  # the command that makes samples leaves them
    follow(page, desk)
    JUDGES[page](desk)


@pytest.mark.slow
def test_the_tutorial_for_buckets_works_from_top_to_bottom(desk, s3_environment, tmp_path):
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    page = "docs/tutorials/buckets.md"
    originals = small_samples(tmp_path / "originals")
    store = S3Store(
        "photos",
        endpoint=s3_environment["AWS_ENDPOINT_URL"],
        region=s3_environment["AWS_REGION"],
        access_key_id=s3_environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=s3_environment["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
    )
    for path in originals.iterdir():
        obstore.put(store, f"originals/{path.name}", path.read_bytes())
    desk.environment.update(s3_environment)
    follow(page, desk)
    keys = {entry["path"] for group in obstore.list(store) for entry in group}
    assert {"thumbs/sea.webp", "small/sea.jpg", "cluster/sea.jpg"} <= keys


def small_samples(folder):
    """Write images with the names of the sample images, which take seconds to make and to process, but small ones."""
    folder.mkdir()
    picture = Image.effect_noise((640, 448), 40).convert("RGB")
    for name in SAMPLES:
        picture.save(folder / name, quality=95)
    return folder


def follow(page, desk):
    for step in steps(page):
        for name, text in step.files.items():
            (desk.folder / name).write_text(text)
        said = [shape(line) for line in desk.run(step.typed, code=step.code).splitlines()]
        for line in step.printed:
            assert line in said, "\n".join([step.typed, *said])


def five_minutes(desk):
    assert desk.size("fitted/sea.webp") == (240, 168)
    assert {desk.size(f"squares/{name}") for name in desk.made("squares")} == {(240, 240)}
    for path in (REPOSITORY / "docs" / "images").glob("start-*.webp"):
        _, job, name = path.stem.split("-", 2)
        with Image.open(path) as shown:
            assert shown.size == desk.size(f"{'squares' if job == 'cover' else 'fitted'}/{name}.webp")
    assert (desk.folder / "small" / ".pixmill" / "report.html").is_file()


def a_folder(desk):
    lines = [json.loads(line) for line in (desk.folder / "web.jsonl").read_text().splitlines()]
    assert {len(line["outputs"]) for line in lines} == {6}
    assert len(desk.made("web")) == 8  # without those that prune removed
    assert desk.size("web75/sea.webp") == (640, 448)


def python(desk):
    assert desk.size("sea.webp") == (300, 210)
    assert len(desk.made("sizes")) == 16


JUDGES = {FIRST: five_minutes, "docs/tutorials/folder.md": a_folder, "docs/tutorials/python.md": python}


def test_the_tutorial_for_docker_uses_commands_and_variables_that_exist():
    text = "\n".join(block["text"] for block in blocks(DOCKER))
    named = [line.partition(" pixmill ")[2] for line in text.splitlines() if "run --rm pixmill" in line]
    assert len(named) >= 4
    for line in named:
        name, *words = shlex.split(line)
        request(commands.get(name), words, {"INPUT_DIR": "photos", "OUTPUT_DIR": "web"})
    variables = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert variables - SETTINGS_OF_COMPOSE <= {f"PIXMILL_{name.upper()}" for name in options()}


def test_the_tutorial_for_docker_begins_as_the_page_that_is_typed_with_an_engine():
    typed = (REPOSITORY / "docs" / "docker.md").read_text("utf-8")
    composed = {
        line for block in blocks(DOCKER) for line in block["text"].splitlines() if re.match(r"docker compose (up|down)", line)
    }
    assert len(composed) == 4
    for line in composed:
        assert line in typed
