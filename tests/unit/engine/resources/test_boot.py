"""Which start of the machine this is."""

from pathlib import Path

import pytest

from pixmill.engine.resources.boot import boot_id


@pytest.mark.skipif(not Path("/proc/sys/kernel/random/boot_id").exists(), reason="not Linux")
def test_it_stays_the_same_until_the_machine_starts_again():
    assert boot_id() == boot_id() != ""


def test_it_is_empty_where_nothing_tells(tmp_path):
    assert boot_id(tmp_path / "missing") == ""
