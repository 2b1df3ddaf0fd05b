import pytest

from pixmill.storage.local.mounts import keeps_change_times, keeps_inodes, parse

MOUNTED = list(
    parse(
        b"22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        b"40 22 8:1 / /media/my\\040stick rw - vfat /dev/sda1 rw\n"
        b"41 22 0:50 / /home/me/far rw - fuse.sshfs host:/ rw\n"
        b"42 41 254:1 / /home/me/far/near rw - ext4 /dev/vda1 rw\n"
    )
)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (b"/home/me", True),
        (b"/media/my stick/out", False),
        (b"/media/my stick2", True),
        (b"/home/me/far", False),
        (b"/home/me/far/near/out", True),
    ],
)
def test_whether_inodes_last_depends_on_the_file_system(folder, expected):
    assert keeps_inodes(folder, MOUNTED) == expected


def test_an_unknown_file_system_is_taken_to_keep_them():
    assert keeps_inodes(b"/srv", [])


def test_whether_change_times_count_depends_on_the_file_system():
    assert keeps_change_times(b"/home/me", MOUNTED)
    assert not keeps_change_times(b"/media/my stick", MOUNTED)
    assert not keeps_change_times(b"/home/me/far", MOUNTED)
    assert keeps_change_times(b"/srv", [])
