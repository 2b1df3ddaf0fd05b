"""``pixmill prune``: removes outputs whose images are gone, and outputs that are no longer asked for."""

import shlex
from typing import ClassVar

from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.options import Option
from pixmill.batch.pruning.prune import prune
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import LEDGER, SHOW, CommonOutput, State
from pixmill.cli.options.pruning import Pruning
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.session.pruning import plain_result, result_lines
from pixmill.core.humanize import plural
from pixmill.core.text import printable

SOURCE = Argument("SRC", "only the outputs of this source; a list has to be named to remove what is not in it", required=False)


class Prune(Command):
    """List the outputs in DST that can be removed; --yes removes them.

    These are the outputs of images that are gone from their source, and those that the last run of their source no longer
    requested, such as another size or format. Other files in DST are never touched.

    An image is gone if its folder could be listed and does not contain it. Images that a pattern leaves out are not gone, nor is
    anything in a folder that is empty or cannot be read: its disk may not be mounted. An output that was changed since it was
    written stays, and so do outputs of earlier recipes if the last run left images out or did not finish.

    Exit codes: 0 listed, or removed; 2 invalid usage, or more than --max-delete allows, nothing was removed; 3 a run is working on
    DST, or it cannot be changed.
    """

    arguments: ClassVar = (PREVIOUS_DST, SOURCE)
    examples: ClassVar = ("pixmill prune out", "pixmill prune out --yes", "pixmill prune out today.csv --yes --max-delete 25%")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options about removing, and those of a command about an earlier run."""
        return {**declared("Prune options", Pruning), **declared(LEDGER, State), **declared(SHOW, CommonOutput)}

    def execute(self) -> int:
        """List or remove."""
        destination = argument_value(self.request, PREVIOUS_DST)
        state, options = self.request.model(State).state, self.request.model(Pruning)
        (source,) = self.request.arguments.get(SOURCE.name) or (None,)
        result = prune(destination, source, yes=options.yes, max_delete=options.max_delete, state=state)
        if self.request.model(CommonOutput).json:
            self.console.record(plain_result(result))
            return ExitCode.DONE
        for line in result_lines(result):
            self.console.result(line)
        if not result.images:
            self.console.say(f"nothing to remove of {plural(result.outputs, 'recorded output')}")
        elif not options.yes:
            limit = "" if options.max_delete.allows(result.files, of=result.outputs) else f" --max-delete {result.files}"
            named = f" {shlex.quote(printable(source))}" if source else ""
            self.console.say(f"To remove: pixmill prune {command_arguments(destination, state)}{named} --yes{limit}")
        return ExitCode.DONE
