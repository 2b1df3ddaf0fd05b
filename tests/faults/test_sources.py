"""Runs over an archive and over a list of URLs, killed again and again, end with what a run over the folder makes."""

import os
import signal
import subprocess
import tarfile
from contextlib import suppress

import pytest

import pixmill
from support.fault_run import COMMAND
from support.invariants import check_complete, finished, identities, outputs, temporaries
from support.processes import wait_until
from support.web_server import Answer, serving

KILLS = 2
STEP = 3  # outputs between two kills


def as_archive(folder, path):
    with tarfile.open(path, "w") as archive:
        archive.add(folder, ".")
    return path


@pytest.fixture
def killed_again_and_again(tmp_path):
    """Run the command until it ends by itself, killing it with all its workers after every few images that it finished."""

    def run(source):
        out = tmp_path / "out"
        line = [*COMMAND, "run", str(source), str(out), "--workers", "2", "--allow-private-hosts"]
        kept = {}
        for number in range(1, KILLS + 1):
            process = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: process.poll() is not None or len(outputs(out)) >= number * STEP)  # noqa: B023  # it is used at once
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            after = identities(out)
            assert {name: after[name] for name in kept} == kept
            kept = {name: after[name] for name in finished(out)}
        assert subprocess.run(line, check=False, capture_output=True, timeout=240).returncode == 0
        assert temporaries(out) == []
        return out

    return run


def test_an_archive_is_finished_however_often_its_run_is_killed(pictures, tmp_path, killed_again_and_again):
    folder = pictures(12)
    pixmill.run(folder, tmp_path / "whole", workers=2)
    out = killed_again_and_again(as_archive(folder, tmp_path / "in.tar"))
    check_complete(out, outputs(tmp_path / "whole"))


def test_a_list_of_urls_is_finished_however_often_its_run_is_killed(pictures, tmp_path, killed_again_and_again):
    folder = pictures(12)
    pixmill.run(folder, tmp_path / "whole", workers=2)
    images = {f"/{path.relative_to(folder)}".replace(" ", "%20"): path.read_bytes() for path in folder.rglob("*.jpg")}
    with serving({target: Answer(data) for target, data in images.items()}) as server:
        (tmp_path / "urls.txt").write_text("\n".join(server.url + target for target in images))
        out = killed_again_and_again(tmp_path / "urls.txt")
        host = server.url.removeprefix("http://")
    check_complete(out, {f"{host}/{name}": data for name, data in outputs(tmp_path / "whole").items()})
