import subprocess
import sys

import pytest

from pixmill import __version__
from pixmill.cli.args.parser import flag
from pixmill.cli.command import Command, commands

NEEDED_LATER = ("argparse", "msgspec", "numpy", "PIL", "pyvips", "rich")


def test_the_version_is_told_without_importing_anything_heavy():
    code = (
        "import sys; from pixmill.cli.main import main; main(['--version']);"
        f"sys.exit(', '.join(name for name in {NEEDED_LATER} if name in sys.modules) or 0)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, f"pixmill {__version__}\n", "")


def test_pixmill_alone_greets_a_newcomer_and_says_that_nothing_was_done(pixmill):
    told = pixmill()
    assert told.returncode == 2
    assert told.stdout == ""
    assert "pixmill run photos out" in told.stderr


def test_help_that_was_asked_for_is_a_result_and_lists_every_command(pixmill):
    told = pixmill("--help")
    assert (told.returncode, told.stderr) == (0, "")
    for name in commands.names():
        assert f"\n  {name} " in told.stdout


@pytest.mark.parametrize("name", commands.names())
def test_the_help_of_a_command_has_every_option_and_fits_80_columns(pixmill, name):
    told = pixmill("help", name)
    assert told.returncode == 0
    assert max(map(len, told.stdout.splitlines())) <= 80
    for option in commands.get(name).options().values():
        assert option.description, option.name
        assert flag(option.name) in told.stdout


@pytest.mark.parametrize("name", commands.names())
def test_a_command_says_in_one_line_what_it_does_and_shows_how(name):
    command: type[Command] = commands.get(name)
    assert command.__doc__
    assert len(command.__doc__.splitlines()[0]) <= 68
    assert all(example.startswith(f"pixmill {name}") for example in command.examples)
    assert command.examples


def test_help_wins_over_what_else_is_on_the_line(pixmill):
    told = pixmill("run", "nowhere", "--workers", "x", "-h")
    assert told.returncode == 0
    assert told.stdout.startswith("pixmill run SRC DST")
