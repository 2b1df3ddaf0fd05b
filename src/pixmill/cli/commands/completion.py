"""``pixmill completion``: prints the script that completes command lines in a shell."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.completion.bash import bash_script
from pixmill.cli.completion.fish import fish_script
from pixmill.cli.completion.interface import Interface, interface
from pixmill.cli.completion.zsh import zsh_script
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.core.errors import ConfigError
from pixmill.core.suggestion import did_you_mean
from pixmill.core.text import printable

SCRIPTS: Mapping[str, Callable[[Interface], str]] = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
SHELL = Argument("SHELL", "bash, zsh or fish", choices=lambda: dict.fromkeys(SCRIPTS, ""))


class Completion(Command):
    """Print the script that completes commands in bash, zsh or fish.

    With the script, the tab key completes commands, options, their values, and the names of files. To have it in every new bash,
    add ``eval "$(pixmill completion bash)"`` to ~/.bashrc. For zsh, add ``eval "$(pixmill completion zsh)"`` to ~/.zshrc, after
    compinit. For fish, write ``pixmill completion fish | source`` to ~/.config/fish/completions/pixmill.fish. The script always
    belongs to the installed version.
    """

    arguments: ClassVar = (SHELL,)
    is_portable: ClassVar = True
    examples: ClassVar = ("pixmill completion bash", "pixmill completion fish | source")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the common options, without that for JSON: a script is no record."""
        return declared(SHOW, CommonOutput, without={"json"})

    def execute(self) -> int:
        """Print the script for SHELL."""
        shell = "".join(self.request.arguments.get(SHELL.name, ()))
        if shell not in SCRIPTS:
            wrong = f"unknown shell '{printable(shell)}'{did_you_mean(shell, SCRIPTS)}" if shell else "SHELL is missing"
            raise ConfigError(wrong, hint=f"give one of {', '.join(SCRIPTS)}: pixmill completion bash")
        self.console.result(SCRIPTS[shell](interface()).rstrip())
        return ExitCode.DONE
