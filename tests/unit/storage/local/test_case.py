"""Whether names differ by case alone is found out without writing."""

from pathlib import Path

import pytest

from pixmill.storage.local import case
from pixmill.storage.local.mounts import Mount, may_ignore_case


def test_a_folder_on_an_ordinary_disk_has_one_name(tmp_path):
    (tmp_path / "Out").mkdir()
    assert not case.ignores_case(tmp_path / "Out")
    (tmp_path / "oUT").mkdir()
    assert not case.ignores_case(tmp_path / "Out")
    assert not case.ignores_case(tmp_path / "Out" / "not" / "yet")


@pytest.mark.parametrize(("kind", "may"), [("ext4", False), ("vfat", True), ("exfat", True), ("fuseblk", True), ("fuse.x", True)])
def test_the_type_of_a_file_system_says_whether_it_may(kind, may):
    mounted = [Mount(b"/", b"/", b"8:1", "ext4"), Mount(b"/card", b"/", b"8:2", kind)]
    assert may_ignore_case(b"/card/photos", mounted) is may
    assert not may_ignore_case(b"/home", mounted)


def test_a_folder_that_is_to_be_made_in_the_root_is_on_its_file_system():
    assert not case.ignores_case(Path("/no-folder-of-this-name/out"))
