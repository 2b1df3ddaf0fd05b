"""Find the command, run it, and turn every error into a message and an exit code."""

import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixmill.cli.command import commands, request
from pixmill.cli.console import Console, open_standard_streams, print_error
from pixmill.cli.docs.command_answers import COMMAND_ANSWERS
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import RunOutput
from pixmill.cli.progress.waiting import Waiting
from pixmill.cli.session.signals import Interrupted
from pixmill.cli.system_errors import system_error
from pixmill.core.errors import ConfigError, PixmillError
from pixmill.core.operating_system import require_processes
from pixmill.core.text import printable

HELP = ("help", "--help", "-h")


def dispatch(line: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``line`` and return the exit code; no exception escapes."""
    open_standard_streams()
    console = Console(sys.stdout, sys.stderr)
    code = _guarded(line, environment, console)
    if console.out.error is not None:
        console.say(f"pixmill: cannot write results to standard output: {console.out.error.strerror}")
        return code or ExitCode.STOPPED
    return code


def _guarded(line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    """Run ``line``; print the message and hint of an error, and return its exit code."""
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
    except Exception as error:  # noqa: BLE001  # the last handler before the interpreter prints a traceback
        return _unexpected(error, line, environment, console)


def _unexpected(error: Exception, line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    is_debug = "--debug" in line or bool(environment.get("PIXMILL_DEBUG"))
    reported = system_error(error)
    if reported is not None:
        print_error(reported, console)
    else:
        console.say(f"pixmill: unexpected {type(error).__name__}: {printable(str(error))}")
    if is_debug:
        for trace_line in traceback.format_exc().splitlines():
            console.say(printable(trace_line))
    elif reported is None:
        console.say("  this is a bug in pixmill: please report it with the output of the same command with --debug")
    return ExitCode.STOPPED


def _run(line: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    name, arguments = (line[0], line[1:]) if line else ("", ())
    if name in HELP and arguments:
        name, arguments = arguments[0], HELP[1:2]
    if not name or name in HELP:
        return _welcome(console, environment, is_requested=bool(name))
    if name.startswith("-"):
        hint = "the command comes first, and options follow it: pixmill run SRC DST --quiet"
        raise ConfigError(f"{printable(name)} is no command", hint=hint)
    try:
        command = commands.get(name)
    except ConfigError as error:
        if name.lower() in COMMAND_ANSWERS:
            error.message, error.hint = f"unknown command '{printable(name)}'", COMMAND_ANSWERS[name.lower()]
        elif Path(name).exists():
            error.hint = f"to process it: pixmill run {printable(name)} DST"
        raise
    checked = request(command, arguments, environment)
    if checked is None:
        from pixmill.cli.docs.help import command_help  # noqa: PLC0415  # a run does not load its help
        from pixmill.cli.docs.layout import layout_of  # noqa: PLC0415  # likewise

        console.result(command_help(name, command, layout_of(console.out, environment)))
        return ExitCode.DONE
    if not command.is_portable:
        require_processes(f"pixmill {name}")
    with Waiting(checked.model(RunOutput), console):
        return command(checked, console).execute()


def _welcome(console: Console, environment: Mapping[str, str], *, is_requested: bool) -> int:
    """Print the general help: to stdout if requested; otherwise to stderr, with the exit code of a usage error."""
    from pixmill.cli.docs.help import welcome  # noqa: PLC0415  # a run does not load its help
    from pixmill.cli.docs.layout import layout_of  # noqa: PLC0415  # likewise

    if is_requested:
        console.result(welcome(layout_of(console.out, environment)))
        return ExitCode.DONE
    console.message(welcome(layout_of(console.err, environment)))
    return ExitCode.MISUSED
