"""Find the command, run it, and turn every error into a sentence and an exit code."""

import errno
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixmill.cli.command import commands, request
from pixmill.cli.console import Console, open_standard_streams, print_error
from pixmill.cli.docs.help import command_help, welcome
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.session.signals import Interrupted
from pixmill.core.errors import ConfigError, PixmillError
from pixmill.core.text import printable

FULL = (errno.ENOSPC, errno.EDQUOT)  # no defect, wherever they come from
HELP = ("help", "--help", "-h")


def dispatch(line: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``line`` and return the exit code; nothing but an exit code comes out of here."""
    open_standard_streams()
    console = Console(sys.stdout, sys.stderr)
    code = _guarded(line, environment, console)
    if console.out.error is not None:
        console.say(f"pixmill: results could not be printed: {console.out.error.strerror}")
        return code or ExitCode.STOPPED
    return code


def _guarded(line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    """Run ``line``; an error becomes its sentence, what to do about it, and its exit code."""
    try:
        return _run(line, environment, console)
    except PixmillError as error:
        print_error(error, console)
        return error.exit_code
    except Interrupted as interrupted:
        console.say("pixmill: interrupted")
        return ExitCode.after(interrupted.signal)
    except KeyboardInterrupt:
        console.say("pixmill: interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last place before the interpreter's own traceback
        return _unexpected(error, line, environment, console)


def _unexpected(error: Exception, line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    if isinstance(error, OSError) and error.errno in FULL:
        place = f" for {printable(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        console.say(f"pixmill: there is no space left{place}: {error.strerror}")
        console.say("  free some, or give temporary files another folder (TMPDIR=FOLDER), and run the same command again")
        return ExitCode.STOPPED
    console.say(f"pixmill: unexpected {type(error).__name__}: {printable(str(error))}")
    if "--debug" in line or environment.get("PIXMILL_DEBUG"):
        for trace_line in traceback.format_exc().splitlines():
            console.say(printable(trace_line))
    else:
        console.say("  this is a defect of pixmill: please report it with the output of the same command and --debug")
    return ExitCode.STOPPED


def _run(line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    name, rest = (line[0], line[1:]) if line else ("", ())
    if name in HELP and rest:
        name, rest = rest[0], HELP[1:2]
    if not name or name in HELP:
        return _welcome(console, asked=bool(name))
    try:
        command = commands.get(name)
    except ConfigError as error:
        if Path(name).exists():
            error.hint = f"to process it: pixmill run {printable(name)} DST"
        raise
    asked = request(command, rest, environment)
    if asked is None:
        console.result(command_help(name, command).rstrip())
        return ExitCode.DONE
    return command(asked, console).execute()


def _welcome(console: Console, *, asked: bool) -> int:
    """Greet a newcomer: as a result when it was asked for, else as talk, and nothing has been done."""
    if asked:
        console.result(welcome().rstrip())
        return ExitCode.DONE
    console.say(welcome().rstrip())
    return ExitCode.MISUSED
