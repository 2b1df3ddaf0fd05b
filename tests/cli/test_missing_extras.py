"""What this machine cannot write is said before anything runs, and what it cannot read is counted by the plan."""

import json
import subprocess
import sys

import pytest

import pixmill as package
from pixmill.core.errors import MissingExtra

MISUSED = 2
WITHOUT = (
    "import sys; sys.modules['pillow_heif'] = sys.modules['pillow_jxl'] = None; from pixmill.cli.main import main; sys.exit(main())"
)


@pytest.fixture
def lacking(tmp_path, clean_environment):
    """Return the function that runs the command as if neither ``heif`` nor ``jxl`` were installed."""

    def run(*words, **variables):
        line = (sys.executable, "-c", WITHOUT, *words)
        environment = {**clean_environment, **variables}
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.mark.parametrize("command", ["run", "plan", "watch"])
@pytest.mark.parametrize(("asked", "extra"), [("heif", "heif"), ("HEIC", "heif"), ("jxl", "jxl"), ("webp,jxl", "jxl")])
def test_a_format_that_cannot_be_written_is_refused_before_anything_runs(photos, tmp_path, lacking, command, asked, extra):
    ended = lacking(command, photos, "out", "--formats", asked)
    assert ended.returncode == MISUSED
    label = {"heif": "HEIF", "jxl": "JPEG XL"}[extra]
    assert ended.stderr == f"pixmill: writing {label} needs the extra '{extra}'\n  pip install 'pixmill[{extra}]'\n"
    assert not (tmp_path / "out").exists()


def test_so_is_it_from_the_environment_a_file_and_a_recipe(photos, tmp_path, lacking):
    (tmp_path / "options.toml").write_text('format = "heif"\n')
    (tmp_path / "recipe.toml").write_text('[[renditions]]\nencode = { format = "heif" }\n')
    for ended in (
        lacking("run", photos, "out", PIXMILL_FORMAT="heif"),
        lacking("run", photos, "out", "--config", "options.toml"),
        lacking("run", photos, "out", "--recipe", "recipe.toml"),
    ):
        assert (ended.returncode, ended.stderr[:27]) == (MISUSED, "pixmill: writing HEIF needs")


def test_so_is_it_in_python(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    from pixmill.imaging import format as format_module  # noqa: PLC0415  # its answers are remembered

    format_module._is_installed.cache_clear()
    with pytest.raises(MissingExtra, match="writing HEIF needs the extra 'heif'"):
        package.run(str(photos), str(tmp_path / "out"), format="heif")
    format_module._is_installed.cache_clear()


def test_a_plan_counts_what_will_fail_without_an_extra(photos, lacking):
    for name in ("x.jxl", "y.JXL", "z.heic"):
        (photos / name).write_bytes(b"")
    lines = lacking("plan", photos, "out").stdout.splitlines()
    assert "will fail      2 images without the extra 'jxl': pip install 'pixmill[jxl]'" in lines
    kept = lacking("plan", photos, "out", "--format", "keep", "--json")
    assert json.loads(kept.stdout)["missing_extras"] == {"heif": 1, "jxl": 2}


def test_a_plan_with_everything_installed_says_nothing_of_extras(photos, pixmill):
    (photos / "z.heic").write_bytes(b"")
    plan = pixmill("plan", photos, "out", "--json")
    assert json.loads(plan.stdout)["missing_extras"] == {}
    assert "will fail" not in pixmill("plan", photos, "out").stdout
