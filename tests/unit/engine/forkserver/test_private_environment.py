"""What the workers of a fork server have of their own: a folder for temporary files, and an environment without credentials."""

import fcntl
import os
import subprocess
import sys

import pytest

from pixmill.engine.forkserver.credentials import credentials, without_credentials
from pixmill.engine.forkserver.temporary_folder import PREFIX

PRIVATE = """
import os, tempfile, time
from pixmill.engine.forkserver.temporary_folder import private_temporary_folder
with private_temporary_folder():
    tempfile.NamedTemporaryFile(delete=False).close()
    print(os.environ["TMPDIR"], tempfile.gettempdir() == os.environ["TMPDIR"], flush=True)
    {then}
"""


def private(folder, then="pass"):
    return subprocess.Popen(
        [sys.executable, "-c", PRIVATE.format(then=then)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_folder_and_all_in_it_go_with_the_process(tmp_path):
    with private(tmp_path) as process:
        folder, is_used = process.stdout.readline().split()
    assert folder.startswith(str(tmp_path / PREFIX))
    assert is_used == "True"
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_process_which_was_killed_goes_with_the_next_one_and_no_other(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / f"{PREFIX}a-file").write_bytes(b"")
    with private(tmp_path, "time.sleep(100)") as killed, private(tmp_path, "time.sleep(100)") as living:
        abandoned, kept = (process.stdout.readline().split()[0] for process in (killed, living))
        killed.kill()
        killed.wait()
        for folder in (abandoned, kept):
            os.utime(folder, (1, 1))
        with private(tmp_path) as process:
            process.wait()
        assert not os.path.exists(abandoned)  # noqa: PTH110  # as it was printed
        assert len(os.listdir(kept)) == 1  # noqa: PTH208
        living.kill()
    assert {path.name for path in tmp_path.iterdir()} == {"photos", f"{PREFIX}a-file", os.path.basename(kept)}  # noqa: PTH119


def test_one_that_is_about_to_be_locked_stays(tmp_path):
    (tmp_path / f"{PREFIX}new").mkdir()
    with private(tmp_path) as process:
        process.wait()
    assert (tmp_path / f"{PREFIX}new").is_dir()


def test_a_folder_that_somebody_holds_stays(tmp_path):
    held = tmp_path / f"{PREFIX}held"
    held.mkdir()
    os.utime(held, (1, 1))
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with private(tmp_path) as process:
        process.wait()
    os.close(descriptor)
    assert held.is_dir()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SECRET_ACCESS_KEY", "x"), ("AZURE_STORAGE_CONNECTION_STRING", "x"), ("GITHUB_TOKEN", "x"), ("DB_PASSWORD", "x"),
        ("SSH_AUTH_SOCK", "/run/agent"), ("DATABASE_URL", "x"), ("SENTRY_DSN", "x"), ("http_proxy", "http://me:secret@proxy:3128"),
        ("OPENAI_API_KEY", "x"), ("GOOGLE_APPLICATION_CREDENTIALS", "/key.json"), ("SESSION_COOKIE", "x"),
    ],
)  # fmt: skip
def test_what_may_be_a_credential_is_left_out_and_handed_on_apart(name, value):
    environment = {name: value, "PATH": "/bin"}
    assert without_credentials(environment) == {"PATH": "/bin"}
    assert credentials(environment) == {name.encode(): value.encode()}


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIPS_CONCURRENCY", "PIXMILL_WORKERS", "LD_PRELOAD"]
)
def test_what_programs_need_stays(name):
    assert without_credentials({name: "x"}) == {name: "x"}
