import subprocess
import sys

import pytest

from pixmill import __version__
from pixmill.cli.args.parser import flag
from pixmill.cli.command import Command, commands

NEEDED_LATER = ("argparse", "msgspec", "numpy", "PIL", "pyvips", "rich")


def test_the_version_is_printed_without_importing_anything_heavy():
    code = (
        "import sys; from pixmill.cli.main import main; main(['--version']);"
        f"sys.exit(', '.join(name for name in {NEEDED_LATER} if name in sys.modules) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"pixmill {__version__}\n", "")


def test_pixmill_alone_prints_the_welcome_to_stderr_and_exits_with_a_usage_error(pixmill):
    result = pixmill()
    assert result.returncode == 2
    assert result.stdout == ""
    assert "pixmill run photos out" in result.stderr


def test_requested_help_goes_to_stdout_and_lists_every_command(pixmill):
    result = pixmill("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for name in commands.names():
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize("name", commands.names())
def test_the_help_of_a_command_has_every_option_and_fits_80_columns(pixmill, name):
    result = pixmill("help", name)
    assert result.returncode == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    for option in commands.get(name).options().values():
        assert option.description, option.name
        assert flag(option.name) in result.stdout


@pytest.mark.parametrize("name", commands.names())
def test_a_command_says_in_one_line_what_it_does_and_shows_how(name):
    command: type[Command] = commands.get(name)
    assert command.__doc__
    assert len(command.__doc__.splitlines()[0]) <= 68
    assert all(example.startswith(f"pixmill {name}") for example in command.examples)
    assert command.examples


def test_help_wins_over_what_else_is_on_the_line(pixmill):
    result = pixmill("run", "nowhere", "--workers", "x", "-h")
    assert result.returncode == 0
    assert result.stdout.startswith("pixmill run SRC... DST")
