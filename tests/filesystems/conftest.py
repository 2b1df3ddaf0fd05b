"""File systems to mount in a folder of the test's own, pictures to put on them, and the real command.

Everything that a test mounts is unmounted when it ends, however it ends. Where root, a program or the kernel is missing,
the test is skipped and says which.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from support.snapshots import lost, snapshot

COMMAND = (sys.executable, "-m", "pixmill")
DISK_BYTES = 48_000_000
BTRFS_BYTES = 128_000_000  # the least that it takes; a file with holes
UNSTABLE = {"vfat", "exfat"}  # a FUSE driver that makes inode numbers up as names are looked up


class Told(subprocess.CompletedProcess):
    """What a run answered: its exit code as ``code``, its streams as text."""

    @property
    def code(self):
        return self.returncode


@pytest.fixture
def pixmill(tmp_path):
    """Return a function that runs the command to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_") and not name.endswith("PUT_DIR")}

    def run(*words, cwd=tmp_path, env=None, before=()):
        done = subprocess.run(
            [*before, *COMMAND, *words],
            cwd=cwd,
            env={**kept, **(env or {})},
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=120,
            check=False,
        )
        return Told(done.args, done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def draw():
    """Return a function that writes a small picture, of the format that its name says."""

    def picture(path, shade=120):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 24), (shade, 90, 60)).save(path, "PNG" if path.suffix == ".png" else "JPEG")
        return path

    return picture


@pytest.fixture
def photos(draw):
    """Return a function that fills a folder with three pictures, one of them in a folder below."""

    def fill(folder):
        for number, name in enumerate(("a.jpg", "b.jpg", "sub/c.jpg")):
            draw(folder / name, 40 * number)
        return folder

    return fill


@pytest.fixture
def untouched():
    """Return a function that takes trees, which must be as they are now when the test ends: new files aside.

    Folders with these names (``ignoring``) are the outputs, and left out.
    """
    seen = []

    def watch(*roots, ignoring=(), inodes=True):
        seen.extend((root, ignoring, inodes, snapshot(root, ignoring=ignoring, inodes=inodes)) for root in roots)

    yield watch
    for root, ignoring, inodes, before in seen:
        assert lost(before, snapshot(root, ignoring=ignoring, inodes=inodes)) == {}, f"below {root}"


class Mounts:
    """Mounts file systems below ``folder``; ``stack`` takes them down again."""

    def __init__(self, folder, stack):
        self._folder = folder
        self._stack = stack
        self._count = 0

    def disk(self, kind):
        """Return a folder on a new ``ext4`` (casefold), ``ntfs``, ``vfat``, ``exfat`` (ignoring case), ``btrfs``, ``tmpfs``."""
        place = self._folder / f"disk-{self._count}"
        self._count += 1
        place.mkdir()
        getattr(self, f"_{kind}")(place)
        return place

    def bind(self, folder, place):
        """Mount ``folder`` at ``place`` a second time."""
        place.mkdir(exist_ok=True)
        self._mount("--bind", folder, place)
        return place

    def overlay(self, lower, upper, place):
        """Mount a union of ``lower`` and ``upper`` at ``place``; changes go to ``upper``."""
        work = self._folder / f"work-{place.name}"
        for folder in (upper, work, place):
            folder.mkdir(exist_ok=True)
        self._mount("-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", place)
        return place

    def _tmpfs(self, place):
        self._mount("-t", "tmpfs", "none", place)

    def _ext4(self, place):
        image = self._image(place, "mkfs.ext4", "-q", "-O", "casefold", package="e2fsprogs")
        self._mount("-o", "loop", image, place)
        folded = place / "folded"
        folded.mkdir()
        self._run("chattr", "+F", folded)
        self._mount("--bind", folded, place)

    def _btrfs(self, place):
        image = self._image(place, "mkfs.btrfs", "-q", package="btrfs-progs", size=BTRFS_BYTES)
        self._mount("-t", "btrfs", "-o", "loop", image, place)

    def _ntfs(self, place):
        image = self._image(place, "mkfs.ntfs", "-q", "-F", "-f", package="ntfs-3g")
        self._drive(place, "lowntfs-3g", "-o", "ignore_case", image, place, package="ntfs-3g")

    def _vfat(self, place):
        image = self._image(place, "mkfs.vfat", package="dosfstools")
        try:
            self._mount("-t", "vfat", "-o", "loop", image, place)
        except pytest.skip.Exception:  # a kernel without it
            self._drive(place, "fusefat", "-o", "rw+", image, place, package="fusefat")

    def _exfat(self, place):
        image = self._image(place, "mkfs.exfat", package="exfatprogs")
        needs("mount.exfat-fuse", "exfat-fuse")
        device = self._run("losetup", "--find", "--show", image).strip()
        self._stack.callback(self._run, "losetup", "--detach", device)
        self._drive(place, "mount.exfat-fuse", device, place, package="exfat-fuse")

    def _image(self, place, *maker, package, size=DISK_BYTES):
        needs(maker[0], package)
        image = place.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(size)
        self._run(*maker, image)
        return image

    def _drive(self, place, program, *words, package):
        needs(program, package)
        if not Path("/dev/fuse").exists():
            pytest.skip(f"there is no /dev/fuse for {program}")
        self._run(program, *words)
        self._stack.callback(release, place)

    def _mount(self, *words):
        self._run("mount", *words)
        self._stack.callback(release, words[-1])

    def _run(self, *line):
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{line[0]} {line[1]} does not work here: {(done.stderr or done.stdout).strip()}")
        return done.stdout


def needs(program, package):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing (Debian: apt install {package})")


def release(place):
    """Unmount, by force if something is still in use: a test must leave no mount behind."""
    if subprocess.run(["umount", place], capture_output=True, check=False).returncode:
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=True)


@pytest.fixture
def mounts(tmp_path):
    """Return what mounts file systems for this test alone."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    with ExitStack() as stack:
        yield Mounts(tmp_path, stack)


@pytest.fixture(params=["ext4", "ntfs", "vfat", "exfat"])
def caseless(request, mounts):
    """Return a folder on a file system that ignores case, whose kind is ``caseless.kind``, once for each kind."""
    return Disk(mounts.disk(request.param), request.param)


@pytest.fixture(params=["tmpfs", "overlay", "ext4", "ntfs", "vfat", "exfat", "btrfs"])
def disk(request, mounts, tmp_path):
    """Return a folder on a file system that is not the usual one, once for each kind."""
    if request.param != "overlay":
        return Disk(mounts.disk(request.param), request.param)
    (tmp_path / "lower").mkdir()
    return Disk(mounts.overlay(tmp_path / "lower", tmp_path / "upper", tmp_path / "union"), request.param)


class Disk:
    """A mounted file system: its ``root``, its ``kind``, and whether its inode numbers can be compared over time."""

    def __init__(self, root, kind):
        self.root = root
        self.kind = kind
        self.inodes = kind not in UNSTABLE
        self.has_links = kind not in UNSTABLE
