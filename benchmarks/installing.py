"""Installs the peers, pinned, into a cache outside the checkout. Peers that cannot be installed are left out with a message."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import msgspec

#: The measured versions. The versions of Debian packages depend on the release, and are recorded with the run.
PINNED = {
    "sharp": "0.35.5", "pyvips": "3.2.0", "pyvips-binary": "8.18.7", "opencv-python-headless": "5.0.0.93",
    "pillow": "13.0.0", "pillow-simd": "12.1.1.post0",
}  # fmt: skip
ALONGSIDE = {"pyvips": ["pyvips-binary"]}
#: The headers that pillow-simd is built with, and the Debian packages that contain them.
HEADERS = {"jpeglib.h": "libjpeg-dev", "zlib.h": "zlib1g-dev", "webp/encode.h": "libwebp-dev"}
SAID = 300


class Missing(Exception):
    """A peer cannot be installed; the message has the reason."""


class Bench(msgspec.Struct, frozen=True):
    """The folder in which peers are installed."""

    cache: Path

    @property
    def sharp_home(self) -> Path:
        """Return the folder that sharp is installed in."""
        return self.cache / "sharp"

    def python(self, name: str) -> str:
        """Return the interpreter of the environment ``name``; our own for ``pixmill``."""
        return sys.executable if name == "pixmill" else str(self.cache / name / "bin" / "python")

    def pixmill(self) -> str:
        """Return the version under test: the commit, with the suffix ``-dirty`` if the sources differ from it."""
        root = Path(__file__).parents[1]
        done = subprocess.run(["git", "describe", "--always"], cwd=root, capture_output=True, text=True, check=False)
        is_clean = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "src"], cwd=root, check=False).returncode == 0
        return (done.stdout.strip() or "unknown") + ("" if is_clean else "-dirty")

    def venv(self, name: str, package: str, *options: str, environment: dict[str, str] | None = None) -> str:
        """Install the pinned ``package`` into its own environment; return its version."""
        place = self.cache / name
        if not (place / "installed").is_file():
            venv.create(place, with_pip=True, clear=True)
            wanted = [f"{each}=={PINNED[each]}" for each in (package, *ALONGSIDE.get(package, ()))]
            _run(
                self.python(name),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *options,
                *wanted,
                environment=environment,
            )
            (place / "installed").touch()
        return PINNED[package]

    def pillow_simd(self) -> str:
        """Build pillow-simd for AVX2, with the libjpeg-turbo of the system."""
        self.program("gcc", "build-essential")
        for header, package in HEADERS.items():
            if not (Path("/usr/include") / header).is_file():
                _apt(package)
        options = ("--no-binary", "pillow-simd", "-C", "webp=enable")
        return self.venv("pillow-simd", "pillow-simd", *options, environment={"CC": "cc -mavx2"}) + " AVX2"

    def sharp(self) -> str:
        """Install sharp from npm."""
        if shutil.which("npm") is None:
            raise Missing("npm is not installed")
        if not (self.sharp_home / "node_modules" / "sharp").is_dir():
            self.sharp_home.mkdir(parents=True, exist_ok=True)
            (self.sharp_home / "package.json").write_text("{}")
            _run("npm", "install", "--silent", "--prefix", str(self.sharp_home), f"sharp@{PINNED['sharp']}")
        return PINNED["sharp"]

    def program(self, name: str, package: str) -> str:
        """Find the program ``name``, or install the Debian ``package`` as root; return its version."""
        if shutil.which(name) is None:
            _apt(package)
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
        return done.stdout.strip() or "system version"


def _apt(*packages: str) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing(f"needs the Debian packages {', '.join(packages)}; installing them requires root on Debian")
    _run(
        "apt-get",
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        *packages,
        environment={"DEBIAN_FRONTEND": "noninteractive"},
    )


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})})
    if done.returncode:
        raise Missing(f"{command[0]} failed: {(done.stderr or done.stdout)[-SAID:].strip()}")
