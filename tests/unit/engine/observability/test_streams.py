"""Devices, pipes and open files are written to as they are; files are replaced, also behind a link."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pixmill.engine.observability.files import atomic_text_file
from pixmill.engine.observability.streams import is_stream


def test_a_device_stays_a_device(tmp_path):
    device = Path("/dev/null")
    if os.geteuid() == 0:  # root could replace the machine's device, so it gets another one
        device = tmp_path / "null"
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for _ in range(2):
        with atomic_text_file(device) as file:
            file.write("gone")
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_pipe_gives_its_reader_what_is_written(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    while not received and reader.is_alive():
        with atomic_text_file(pipe) as file:
            file.write("text")
    reader.join()
    assert set(received[0].split("text")) == {""}
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with atomic_text_file(tmp_path / "pipe") as file:
        file.write("lost")


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2", "link"])
def test_an_open_file_is_written_on_whatever_name_it_has(tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/stderr")
    (tmp_path / "err").write_text("before\n")
    imports = "from pathlib import Path\nfrom pixmill.engine.observability.files import atomic_text_file\n"
    code = f"{imports}with atomic_text_file(Path({name!r})) as file: file.write('text\\n')"
    with (tmp_path / "err").open("a") as err:
        subprocess.run([sys.executable, "-c", code], stderr=err, check=True, cwd=tmp_path)
    assert (tmp_path / "err").read_text() == "before\ntext\n"


def test_the_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_text("before")
    (tmp_path / "link").symlink_to("folder/real")
    with atomic_text_file(tmp_path / "link") as file:
        file.write("after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_text() == "after"


def test_a_circle_of_links_is_no_stream(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert not is_stream(tmp_path / "a")
