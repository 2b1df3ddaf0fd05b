"""Make the pictures of docs/index.md with the commands of that page.

Usage: ``python docs/images/start.py``. The photographs are the sample images.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from pixmill.testing.sample_images import write_samples

HERE = Path(__file__).parent
NAMES = ("mountains", "sea", "glass-ball", "lights")
JOBS = {
    "fit": ("--size", "240x240", "--format", "webp"),
    "cover": ("--size", "240x240", "--fit", "cover", "--format", "webp"),
}


def main() -> None:
    """Write the pictures beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, "photos")
        write_samples(photos)
        for job, options in JOBS.items():
            made = Path(folder, job)
            command = (sys.executable, "-m", "pixmill", "run", str(photos), str(made), *options, "--quiet")
            subprocess.run(command, check=True)
            for name in NAMES:
                (HERE / f"start-{job}-{name}.webp").write_bytes((made / f"{name}.webp").read_bytes())


if __name__ == "__main__":
    main()
