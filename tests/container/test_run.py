"""Drop images in, get images out: the container as its users meet it."""

import hashlib
import json
import os
import shutil
import subprocess
import time

from PIL import Image

from pixmill.batch.watch.options import WatchOptions

USER = os.getuid() or 12345


def state_of(folder):
    return {
        path.relative_to(folder): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def outputs(project):
    return {path.relative_to(project.destination).as_posix() for path in project.destination.rglob("*.jpg")}


def pictures(project, picture, number):
    """Put so many pictures into the input that take a while."""
    picture(project.source / "00.png", size=(1500, 1500), noisy=True)
    for index in range(1, number):
        shutil.copy2(project.source / "00.png", project.source / f"{index:02}.png")


def wait_until(is_so, what):
    end = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < end, what()
        time.sleep(0.2)


def test_images_of_every_kind_become_small_jpegs_that_belong_to_the_caller(project, picture):
    for name, mode in {"a.jpg": "CMYK", "b.png": "RGBA", "c.bmp": "RGB", "d.tiff": "L", "e.webp": "RGB", "sub/F.GIF": "P"}.items():
        picture(project.source / name, size=(2400, 1200) if name == "a.jpg" else (64, 48), mode=mode)
    before = state_of(project.source)
    code, said = project.up("--build")
    assert code == 0, said
    assert outputs(project) == {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "sub/F.jpg"}
    for name in outputs(project):
        with Image.open(project.destination / name) as made:
            assert (made.format, made.mode) == ("JPEG", "L" if name == "d.jpg" else "RGB")  # grey stays grey, and small
            assert max(made.size) <= 1920
        assert (project.destination / name).stat().st_uid == USER
    assert state_of(project.source) == before
    assert "[DONE] 6/6 (100.0%)" in said
    assert "6 images" in said


def test_the_photographs_of_telephones_and_jpeg_xl_are_read(project):
    code = (
        "from PIL import Image; import pillow_heif, pillow_jxl; pillow_heif.register_heif_opener();"
        "Image.new('RGB', (64, 48), 'teal').save('/data/output/a.heic'); Image.new('RGB', (64, 48)).save('/data/output/b.jxl')"
    )
    project.compose("run", "--rm", "--entrypoint", "python", "pixmill", "-c", code)
    for name in ("a.heic", "b.jxl"):
        (project.destination / name).rename(project.source / name)
    assert project.up()[0] == 0
    assert outputs(project) == {"a.jpg", "b.jpg"}


def test_a_second_start_does_only_what_is_new(project, picture):
    picture(project.source / "a.jpg")
    assert project.up()[0] == 0
    made = state_of(project.destination)
    picture(project.source / "b.jpg")
    code, said = project.up()
    assert code == 0
    assert "done      1 image" in said
    assert "skipped   1 image" in said
    assert {path: state for path, state in state_of(project.destination).items() if path.name == "a.jpg"} == {
        path: state for path, state in made.items() if path.name == "a.jpg"
    }


def test_a_broken_image_costs_only_itself_and_the_exit_code_says_so(project, picture):
    picture(project.source / "a.jpg")
    (project.source / "bad.jpg").write_bytes(b"no picture")
    code, said = project.up()
    assert code == 1
    assert "bad.jpg" in said
    assert outputs(project) == {"a.jpg"}


def test_a_folder_that_cannot_be_written_gets_one_line_with_the_fix(project, picture):
    picture(project.source / "a.jpg")
    project.destination.chmod(0o555)
    if os.getuid() == 0:
        os.chown(project.destination, 0, 0)
        project.destination.chmod(0o755)
    code, said = project.up()
    assert code == 3
    assert f"cannot be written by user {USER}" in said
    assert f"sudo chown -R {USER}:{USER} {project.destination}, or" in said
    assert f"UID={project.destination.stat().st_uid} and GID={project.destination.stat().st_gid} in .env" in said
    assert "Traceback" not in said


def test_variables_and_a_recipe_say_what_to_make(project, picture):
    picture(project.source / "a.jpg")
    project.variables |= {"PIXMILL_SIZE": "32x32", "PIXMILL_FORMAT": "png"}
    assert project.up()[0] == 0
    with Image.open(project.destination / "a.png") as made:
        assert made.size == (32, 24)
    recipe = project.source.parent / "recipe.toml"
    recipe.write_text('[[steps]]\noperation = "resize"\nwidth = 16\nheight = 16\n')
    recipe.chmod(0o644)
    project.override.write_text(json.dumps({"services": {"pixmill": {"volumes": [f"{recipe}:/recipe.toml:ro"]}}}))
    project.variables |= {"PIXMILL_SIZE": "", "PIXMILL_FORMAT": "", "PIXMILL_RECIPE": "/recipe.toml"}
    assert project.up()[0] == 0
    with Image.open(project.destination / "a.jpg") as made:
        assert made.size == (16, 12)


def test_the_container_has_nothing_but_its_two_folders(project):
    code = """
import errno, json, os, socket
def fails(act):
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "root": fails(lambda: open("/anything", "w")),
    "input": fails(lambda: open("/data/input/anything", "w")),
    "tmp": fails(lambda: open("/tmp/anything", "w")),
    "output": fails(lambda: open("/data/output/anything", "w")),
    "network": fails(lambda: socket.create_connection(("192.0.2.1", 80), 5)),
    "capabilities": int(status["CapEff"], 16),
    "privileges": status["NoNewPrivs"].strip(),
    "user": os.getuid(),
    "shared memory": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
}))
"""
    seen = json.loads(project.compose("run", "--rm", "--entrypoint", "python", "pixmill", "-c", code).stdout)
    assert seen == {
        "root": "EROFS",
        "input": "EROFS",
        "tmp": None,
        "output": None,
        "network": "ENETUNREACH",
        "capabilities": 0,
        "privileges": "1",
        "user": USER,
        "shared memory": 64 * 2**20,
    }


def test_a_stop_lets_images_finish_and_the_next_start_goes_on(project, picture):
    pictures(project, picture, 24)
    slow = {"services": {"pixmill": {"environment": {"PIXMILL_MAX_RATE": "4/s"}}}}
    project.override.write_text(json.dumps(slow))  # JSON is YAML
    project.compose("up", "--detach")
    wait_until(lambda: outputs(project), lambda: project.compose("logs").stdout)
    began = time.monotonic()
    project.compose("stop", "pixmill")
    assert time.monotonic() - began < 30
    assert project.inspect("pixmill", ".State.ExitCode") == "143"
    stopped_with = state_of(project.destination)
    assert 0 < len(outputs(project)) < 24
    assert not list(project.destination.rglob(".pixmill-*"))
    project.override.unlink()
    assert project.up()[0] == 0
    assert len(outputs(project)) == 24
    kept = {path: state for path, state in state_of(project.destination).items() if path.suffix == ".jpg" and path in stopped_with}
    assert kept == {path: state for path, state in stopped_with.items() if path.suffix == ".jpg"}


def test_a_container_that_is_killed_loses_nothing(project, picture):
    pictures(project, picture, 24)
    project.compose("up", "--detach")
    wait_until(lambda: outputs(project), lambda: project.compose("logs").stdout)
    project.compose("kill", "--signal", "KILL", "pixmill")
    code, said = project.up()
    assert code == 0, said
    assert len(outputs(project)) == 24
    assert not list(project.destination.rglob(".pixmill-*"))
    for name in outputs(project):
        with Image.open(project.destination / name) as made:
            made.load()


def test_the_watching_service_takes_a_slow_copy_once_and_only_when_it_is_whole(project, picture):
    project.compose("--profile", "watch", "up", "--detach", "watch")
    logs = project.compose
    wait_until(lambda: "watching with" in logs("logs", "watch").stdout, lambda: logs("logs", "watch").stdout)
    picture(project.source.parent / "whole.jpg", size=(800, 600), noisy=True)
    data = (project.source.parent / "whole.jpg").read_bytes()
    with (project.source / "slow.jpg").open("wb") as file:
        for start in range(0, len(data), -(-len(data) // 6)):
            file.write(data[start : start + -(-len(data) // 6)])
            file.flush()
            time.sleep(WatchOptions().settle / 4)  # the test is about slowness itself
            assert outputs(project) == set()
    wait_until(lambda: outputs(project), lambda: logs("logs", "watch").stdout)
    with Image.open(project.destination / "slow.jpg") as made:
        assert made.size == (800, 600)
    project.compose("stop", "watch")
    said = logs("logs", "watch").stdout
    assert "done      1 image" in said
    assert "failed" not in said.lower()
    assert project.inspect("watch", ".State.ExitCode") == "0"


def test_the_health_check_sees_a_watcher_that_is_stopped(project):
    check = {"interval": "1s", "timeout": "30s", "retries": 2, "start_period": "0s"}
    project.override.write_text(json.dumps({"services": {"watch": {"healthcheck": check}}}))
    project.compose("--profile", "watch", "up", "--detach", "watch")

    def health():
        return project.inspect("watch", ".State.Health.Status")

    wait_until(lambda: health() == "healthy", health)
    watcher = json.loads((project.destination / ".pixmill" / "heartbeat").read_text())["pid"]
    stop = ("docker", "exec", project.container("watch"), "python", "-c", f"import os; os.kill({watcher}, 19)")
    subprocess.run(stop, check=True)
    wait_until(lambda: health() == "unhealthy", health)


def test_a_watch_in_the_background_stops_by_its_name_and_leaves_the_output_free(project, picture):
    picture(project.source / "a.jpg")
    project.compose("up", "--detach", "watch")
    wait_until(lambda: outputs(project), lambda: project.compose("logs", "watch").stdout)
    code, said = project.up()
    assert code == 3
    assert f"to stop it: docker stop {project.container('watch')[:12]}" in said
    began = time.monotonic()
    project.compose("down", "watch")
    assert time.monotonic() - began < 30
    assert project.container("watch") == ""
    code, said = project.up()
    assert code == 0, said


def test_messages_name_the_folders_and_commands_of_the_host(project, picture):
    code, said = project.up()
    assert code == 2
    assert f"no images found in '{project.source}'" in said
    assert "put images there first" in said
    picture(project.source / "a.jpg")
    (project.source / "bad.jpg").write_bytes(b"no picture")
    code, said = project.up()
    assert code == 1
    assert "/data/" not in said
    command = said.partition("To list the failures: ")[2].splitlines()[0].removeprefix("docker compose ")
    assert project.compose(*command.split()).stdout.startswith("bad.jpg: not-an-image")
    assert project.compose("run", "--rm", "pixmill", "report").stdout.strip() == f"{project.destination}/.pixmill/report.html"


def test_every_option_in_the_shell_reaches_the_container(project, picture):
    picture(project.source / "a.jpg", size=(64, 48))
    project.variables |= {"PIXMILL_WIDTH": "32", "PIXMILL_FORMATS": "webp,png", "PIXMILL_EXCLUDE": "b.*"}
    picture(project.source / "b.jpg")
    assert project.up()[0] == 0
    assert {path.name for path in project.destination.glob("*.*")} - {".pixmill"} == {"a.webp", "a.png"}
    with Image.open(project.destination / "a.png") as made:
        assert made.size == (32, 24)


def test_both_services_may_be_started_at_once_and_one_of_them_gives_way(project, picture):
    pictures(project, picture, 10)
    project.compose("--profile", "watch", "up", "--detach")
    wait_until(lambda: len(outputs(project)) == 10, lambda: project.compose("logs").stdout)
    picture(project.source / "later.jpg")
    wait_until(lambda: "later.jpg" in outputs(project), lambda: project.compose("logs").stdout)
    assert project.inspect("watch", ".State.Status") == "running"
