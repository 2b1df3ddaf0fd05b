"""``pixmill doctor``: describes this machine and what pixmill has on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.machine import FolderFacts, Machine, examine
from pixmill.batch.worker.confinement import confinement_remark
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.core.humanize import byte_count
from pixmill.core.remedy import install_command
from pixmill.core.text import printable

WIDTH = 11  # of the labels
FOLDER = Argument("FOLDER", "folder whose file system is described (default: the current one)", required=False, is_folder=True)


class Doctor(Command):
    """Describe this machine, for a bug report.

    Shows versions, formats, extras, limits, the sandbox, and what the file system of FOLDER can do. Nothing is written, and no path
    is shown but that of FOLDER.
    """

    arguments: ClassVar = (FOLDER,)
    is_portable: ClassVar = True
    examples: ClassVar = ("pixmill doctor", "pixmill doctor /mnt/photos --json")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the common options."""
        return declared(SHOW, CommonOutput)

    def execute(self) -> int:
        """Print a line for each fact."""
        machine = examine(Path("".join(self.request.arguments.get(FOLDER.name, ())) or "."))
        if self.request.model(CommonOutput).json:
            self.console.record(msgspec.to_builtins(machine))
        else:
            for label, text in (*_of_machine(machine), *_of_folder(machine.folder)):
                self.console.result(f"{label:{WIDTH}}{printable(text)}")
        return ExitCode.DONE


def _of_machine(machine: Machine) -> Iterator[tuple[str, str]]:
    yield "pixmill", f"{machine.version}, revision {machine.revision} of its processing"
    yield "python", f"{machine.python}; {machine.system}"
    instructions = f"; {', '.join(machine.instructions)}" if machine.instructions else ""
    yield "cores", f"{machine.cores} of {machine.all_cores}{instructions}"
    yield "memory", byte_count(machine.memory) if machine.memory else "unknown"
    yield "limits", f"{_bound(machine.open_files, 'open files')}, {_bound(machine.processes, 'processes')}"
    yield "libraries", machine.libraries
    yield "reads", ", ".join(machine.reads)
    yield "", f"with --allow: {', '.join(machine.on_request)}"
    yield "writes", ", ".join(machine.writes)
    installed = [name for name, is_there in machine.extras.items() if is_there]
    missing = [name for name, is_there in machine.extras.items() if not is_there]
    yield "extras", ", ".join(installed) or "none"
    if missing:
        yield "", f"not installed: {', '.join(missing)} ({install_command(missing[0])})"
    yield "runs", _runs(machine)
    if not machine.can_run:
        return
    remarks = confinement_remark(machine.unconfined)
    yield "sandbox", remarks[0] if remarks else "complete: a worker that an image takes over can write nothing and start nothing"


def _runs(machine: Machine) -> str:
    missing = "; ".join(machine.missing)
    return f"{'without' if machine.can_run else 'none, as this system lacks'} {missing}" if missing else "with all that they use"


def _of_folder(folder: FolderFacts) -> Iterator[tuple[str, str]]:
    yield "folder", f"{folder.folder}: {folder.kind or 'unknown file system'}, {byte_count(folder.free)} free"
    if not folder.is_writable:
        yield "", "this user cannot write there"
    remarks = {
        "names that differ in case alone are one": folder.ignores_case,
        "some characters are refused in names, which --portable-names replaces": folder.refuses_odd_names,
        "changed files are recognised by size and time, since inodes change": not folder.keeps_inodes,
        "change times say nothing, so --checksum finds what keeps size and time": not folder.keeps_change_times,
        "the ledger uses a rollback journal": folder.journal not in ("", "WAL"),
    }
    for remark, applies in remarks.items():
        if applies:
            yield "", remark


def _bound(limit: int | None, noun: str) -> str:
    return f"{'any number of' if limit is None else f'{limit:,}'} {noun}"
