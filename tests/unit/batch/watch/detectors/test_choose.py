"""Which detector a folder gets."""

import sys
import time

import pytest

from pixmill.batch.watch.detectors.choose import choose_detector, file_systems, why_not_inotify
from pixmill.core.units import Duration

MOUNTS = rb"""21 26 0:19 / /proc rw,relatime shared:14 - proc proc rw
26 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 26 0:50 / /mnt/nas rw,relatime shared:20 - nfs4 nas:/export rw
41 26 0:51 / /mnt/with\040space rw,relatime - cifs //server/share rw
42 40 0:52 / /mnt/nas/local rw,relatime - xfs /dev/vdb1 rw
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (b"/srv/photos", {"ext4"}),
        (b"/mnt/nas/photos", {"nfs4"}),
        (b"/mnt/nas", {"nfs4", "xfs"}),
        (b"/mnt/nas/local/photos", {"xfs"}),
        (b"/mnt/with space/photos", {"cifs"}),
        (b"/mnt", {"ext4", "nfs4", "cifs", "xfs"}),
    ],
)
def test_a_folder_is_on_the_file_systems_that_are_mounted_over_and_below_it(folder, expected):
    assert set(file_systems(folder, MOUNTS)) == expected


def test_who_asks_for_polling_gets_it(tmp_path):
    detector, reason = choose_detector(bytes(tmp_path), lambda _: True, follow=False, poll=Duration(1), clock=time.monotonic)
    assert (detector.method, reason) == ("polling", "polling was requested")
    detector.close()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_local_folder_is_listened_to(tmp_path):
    detector, _ = choose_detector(bytes(tmp_path), lambda _: True, follow=False, poll=None, clock=time.monotonic)
    assert detector.method == "inotify"
    detector.close()


def test_where_links_are_followed_the_kernel_is_not_enough(tmp_path):
    assert why_not_inotify(bytes(tmp_path), follow=True, poll=None)
