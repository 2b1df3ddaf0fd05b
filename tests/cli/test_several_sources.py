"""Several sources into one output: each keeps its pictures under names of their own, and running any of them again does nothing."""

import json
import shutil

import pytest
from PIL import Image

from support.invariants import outputs

SHADES = {"first": 10, "second": 200}


def draw(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (shade, 90, 60)).save(path)


def source_of(path):
    """Return which of ``SHADES`` the picture at ``path`` has."""
    with Image.open(path) as picture:
        red = picture.getpixel((5, 5))[0]
    return min(SHADES, key=lambda name: abs(SHADES[name] - red))


@pytest.fixture
def cards(tmp_path):
    """Two cards of a camera, whose pictures have the same names."""
    for folder, shade in SHADES.items():
        for name in ("IMG_1.png", "IMG_2.png", "DCIM/IMG_1.png"):
            draw(tmp_path / folder / name, shade)
    return tmp_path / "first", tmp_path / "second"


def counts(pixmill, *words):
    ended = pixmill("run", *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])["counts"]


def test_both_are_kept_under_names_of_their_own(pixmill, cards, tmp_path):
    first, second = cards
    out = tmp_path / "out"
    assert counts(pixmill, first, out)["done"] == 3
    before = {name: (out / name).read_bytes() for name in outputs(out)}
    assert counts(pixmill, second, out)["done"] == 3
    assert {name: (out / name).read_bytes() for name in before} == before
    assert sorted(outputs(out).keys() - before.keys()) == ["DCIM/IMG_1.png.jpg", "IMG_1.png.jpg", "IMG_2.png.jpg"]
    assert {source_of(out / name) for name in before} == {"first"}
    assert {source_of(out / name) for name in outputs(out).keys() - before.keys()} == {"second"}


def test_running_any_of_them_again_does_nothing(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in (*cards, *cards, *reversed(cards)):
        last = counts(pixmill, source, out)
    assert last == {"found": 3, "done": 0, "skipped": 3, "failed": 0, "pending": 0}
    assert len(outputs(out)) == 6
    assert "done     6 images" in pixmill("status", out).stdout
    assert pixmill("verify", out).returncode == 0


def test_failures_tell_the_sources_apart(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in cards:
        (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
        pixmill("run", source, out)
    listed = pixmill("failures", out).stdout
    assert "\nbroken.png" in f"\n{listed}"
    assert str(cards[1] / "broken.png") in listed


def test_a_source_that_has_moved_is_the_same_and_that_is_said(pixmill, cards, tmp_path):
    out, moved = tmp_path / "out", tmp_path / "elsewhere"
    for source in cards:
        counts(pixmill, source, out)
    cards[1].rename(moved)
    ended = pixmill("run", moved, out)
    assert f"has the images that were in {cards[1]}" in ended.stderr + ended.stdout
    assert counts(pixmill, moved, out)["skipped"] == 3
    assert len(outputs(out)) == 6


def test_a_copy_is_another_source_while_the_first_exists(pixmill, cards, tmp_path):
    out, copy = tmp_path / "out", tmp_path / "copy"
    counts(pixmill, cards[0], out)
    shutil.copytree(cards[0], copy)
    assert counts(pixmill, copy, out)["done"] == 3
    assert len(outputs(out)) == 6


def test_other_pictures_in_a_new_place_are_no_moved_source(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    counts(pixmill, cards[0], out)
    shutil.rmtree(cards[0])
    assert counts(pixmill, cards[1], out)["done"] == 3
    assert len(outputs(out)) == 6


def test_of_two_that_are_gone_and_alike_none_is_guessed(pixmill, cards, tmp_path):
    out, other, third = tmp_path / "out", tmp_path / "other", tmp_path / "third"
    shutil.copytree(cards[0], other)
    for source in (cards[0], other):
        counts(pixmill, source, out)
    other.rename(third)
    shutil.rmtree(cards[0])
    refused = pixmill("run", third, out)
    assert refused.returncode == 2
    assert f"are those of {cards[0]} and of {other}, which are both gone" in refused.stderr
    assert counts(pixmill, third, out, "--source-id", str(other))["skipped"] == 3
    assert counts(pixmill, third, out)["skipped"] == 3
    assert len(outputs(out)) == 6


def test_a_name_says_which_source_it_is_wherever_it_lies(pixmill, cards, tmp_path):
    out, copy = tmp_path / "out", tmp_path / "copy"
    counts(pixmill, cards[0], out, "--source-id", "holiday")
    shutil.copytree(cards[0], copy)
    assert counts(pixmill, copy, out, "--source-id", "holiday")["skipped"] == 3
    assert counts(pixmill, cards[0], out, "--source-id", str(cards[0]))["skipped"] == 3


def test_a_link_to_a_source_is_the_source(pixmill, cards, tmp_path):
    out, link = tmp_path / "out", tmp_path / "link"
    counts(pixmill, cards[0], out)
    link.symlink_to(cards[0])
    assert counts(pixmill, link, out)["skipped"] == 3


@pytest.mark.usefixtures("cards")
def test_lists_that_overlap_share_their_rows(pixmill, tmp_path):
    out = tmp_path / "out"
    for folder, rows in (("monday", ["first/IMG_1.png"]), ("tuesday", ["first/IMG_1.png", "second/IMG_1.png"])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "list.txt").write_text("".join(f"{tmp_path / row}\n" for row in rows))
    assert counts(pixmill, tmp_path / "monday" / "list.txt", out)["done"] == 1
    assert counts(pixmill, tmp_path / "tuesday" / "list.txt", out) == {
        "found": 2,
        "done": 1,
        "skipped": 1,
        "failed": 0,
        "pending": 0,
    }


def test_rows_relative_to_two_lists_are_two_pictures(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in cards:
        (source / "list.txt").write_text("IMG_1.png\n")
        assert counts(pixmill, source / "list.txt", out)["done"] == 1
    assert sorted(outputs(out)) == ["IMG_1.jpg", "IMG_1.png.jpg"]
    assert counts(pixmill, cards[0], out)["skipped"] == 1  # the folder of the list has the same picture


def test_a_later_picture_never_takes_the_name_of_an_earlier_one(pixmill, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    draw(source / "a.png", SHADES["first"])
    counts(pixmill, source, out)
    draw(source / "a.jpg", SHADES["second"])
    assert counts(pixmill, source, out) == {"found": 2, "done": 1, "skipped": 1, "failed": 0, "pending": 0}
    assert [source_of(out / name) for name in ("a.jpg", "a.jpg.jpg")] == ["first", "second"]
    (source / "a.png").unlink()
    assert counts(pixmill, source, out)["skipped"] == 1
    assert sorted(outputs(out)) == ["a.jpg", "a.jpg.jpg"]


def test_hashes_of_equal_paths_in_two_sources_differ(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in cards:
        assert counts(pixmill, source, out, "--name", "{hash}.{ext}")["done"] == 3
    assert len(outputs(out)) == 6


@pytest.mark.parametrize("shard", ["1/2", "2/2"])
def test_the_shards_of_two_sources_stay_apart(pixmill, cards, tmp_path, shard):
    out = tmp_path / "out"
    for source in (*cards, *cards):
        last = counts(pixmill, source, out, "--shard", shard)
    assert last["done"] == 0


def test_shards_of_several_sources_are_carried_on_with_as_one(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in cards:
        for shard in ("1/2", "2/2"):
            counts(pixmill, source, out, "--shard", shard)
    assert [counts(pixmill, source, out)["skipped"] for source in cards] == [3, 3]
    assert len(outputs(out)) == 6


def test_a_retry_tries_the_failures_of_every_source(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    for source in cards:
        (source / "later.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
        assert pixmill("run", source, out).returncode == 1
        draw(source / "later.png", SHADES[source.name])
        shutil.copystat(source / "IMG_1.png", source / "later.png")
    ended = pixmill("retry", out)
    assert ended.returncode == 0, ended.stderr
    assert "retrying 2 failed images" in ended.stdout + ended.stderr
    assert len(outputs(out)) == 8


def test_a_source_that_is_gone_hinders_no_retry_of_another(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    counts(pixmill, cards[0], out)
    (cards[1] / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    assert pixmill("run", cards[1], out).returncode == 1
    shutil.rmtree(cards[0])
    assert pixmill("retry", out).returncode == 1
    shutil.rmtree(cards[1])
    assert pixmill("retry", out).returncode == 2
    assert "1 image" in pixmill("failures", out).stdout + pixmill("status", out).stdout


def test_sources_that_are_given_together_are_known_in_any_company(pixmill, cards, tmp_path):
    out, third = tmp_path / "out", tmp_path / "third"
    assert counts(pixmill, *cards, out)["done"] == 6
    assert sorted(outputs(out)) == sorted(f"{card}/{name}.jpg" for card in SHADES for name in ("DCIM/IMG_1", "IMG_1", "IMG_2"))
    draw(third / "IMG_1.png", 90)
    assert counts(pixmill, third, cards[1], out) == {"found": 4, "done": 1, "skipped": 3, "failed": 0, "pending": 0}
    assert counts(pixmill, *cards, third, out)["skipped"] == 7


def test_a_source_that_is_given_alone_is_mirrored_without_its_name(pixmill, cards, tmp_path):
    out = tmp_path / "out"
    assert counts(pixmill, *cards, out)["done"] == 6
    assert counts(pixmill, cards[1], out)["done"] == 3  # another layout is asked for
    assert len(outputs(out)) == 9
    assert source_of(out / "IMG_1.jpg") == source_of(out / "second" / "IMG_1.jpg") == "second"


def test_a_folder_and_a_file_in_it_are_one_place(pixmill, cards, tmp_path):
    out, listed = tmp_path / "out", set()
    (cards[0] / "bad.png").write_bytes(b"no image")
    for words in ((cards[0], cards[0] / "bad.png"), (cards[0] / "bad.png", cards[0])):
        pixmill("run", *words, out)
        listed |= {line.partition(": ")[0] for line in pixmill("failures", out).stdout.splitlines()}
    assert listed == {str(cards[0] / "bad.png")}
