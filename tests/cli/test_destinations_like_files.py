"""A destination that is named like a file of another kind is no folder, unless it is one or ends in a slash."""

import tarfile

import pytest

FOLDER = "for a folder of this name write {}/"


@pytest.mark.parametrize(
    ("destination", "kind", "hint"),
    [
        ("train.tar", "a file", "for a dataset of .tar files write tar://train"),
        ("made/TRAIN.TAR", "a file", "for a dataset of .tar files write tar://made/TRAIN"),
        ("out.parquet", "a file", "for a dataset of .parquet files write parquet://out"),
        ("photos.zip", "an archive", "choose another DST"),
        ("out.tar.gz", "an archive", "choose another DST"),
        ("album.pdf", "a document", "choose another DST"),
        ("list.csv", "a text file", "choose another DST"),
    ],
)
def test_it_is_refused_with_what_to_type(pixmill, photos, destination, kind, hint):
    ended = pixmill("run", "photos", destination)
    assert ended.returncode == 2
    assert f"DST {destination} looks like {kind}, but the outputs go into a folder" in ended.stderr
    assert hint in ended.stderr
    assert FOLDER.format(destination) in ended.stderr
    assert [path.name for path in photos.parent.iterdir()] == ["photos"]


@pytest.mark.usefixtures("photos")
def test_what_the_hint_says_works(pixmill, tmp_path):
    assert pixmill("run", "photos", "tar://train").returncode == 0
    with tarfile.open(tmp_path / "train" / "000000.tar") as shard:
        assert sum(name.endswith(".jpg") for name in shard.getnames()) == 4
    assert pixmill("run", "photos", "train.tar/").returncode == 0
    assert (tmp_path / "train.tar" / "p0.jpg").exists()


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("name", ["out.zip", "2024.05", "site.d", ".tar"])
def test_an_existing_folder_and_one_with_another_dot_in_its_name_are_folders(pixmill, tmp_path, name):
    if name == "out.zip":
        (tmp_path / name).mkdir()
    assert pixmill("run", "photos", name).returncode == 0
    assert (tmp_path / name / "p0.jpg").exists()
