"""The profile of a run in the viewer that it is made for: speedscope itself, in a real Chromium."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = shutil.which("speedscope")
SPEEDSCOPE = Path(COMMAND or "/usr/bin/speedscope").resolve().parents[1] / "dist" / "release"


@pytest.mark.skipif(not (COMMAND and SPEEDSCOPE.is_dir()), reason="speedscope is not installed (npm install --global speedscope)")
def test_the_viewer_opens_the_profile_and_shows_every_image(browser, source, tmp_path):
    profile = tmp_path / "profile.json"
    words = ["run", source, tmp_path / "out", "--size", "400x300", "--quiet", "--profile", profile]
    subprocess.run([sys.executable, "-m", "pixmill", *words], check=False, timeout=120)
    expected = json.loads(profile.read_text())
    schema = json.loads((SPEEDSCOPE / "file-format-schema.json").read_text())
    assert set(schema["definitions"]["FileFormat.File"]["required"]) <= set(expected)
    loader = tmp_path / "load.js"  # as speedscope's own command hands a file over
    data = base64.b64encode(profile.read_bytes()).decode()
    loader.write_text(f"speedscope.loadFileFromBase64('profile.json', '{data}')")
    page = browser.new_page()
    complaints = []
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{(SPEEDSCOPE / 'index.html').as_uri()}#localProfilePath={loader}")
    number = len(expected["profiles"])
    page.get_by_text(f"(1/{number})").wait_for(timeout=60_000)
    assert f"a sample of {number - 1} tasks" in page.locator("body").inner_text()
    assert complaints == []
    page.close()
