"""What to do about the failures of a run, once for each error code, with a command that suffices for all of them."""

import re
import shlex
from collections.abc import Iterator
from typing import Any, get_args

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import options
from pixmill.core.remedy import retry_command
from pixmill.core.text import printable
from pixmill.core.units import Quantity
from pixmill.engine.task import Failure

_MAX_PER_CODE = 3
_RETRY = "pixmill retry"
_COMMAND = re.compile(r"\b(pixmill \w+) DST\b")

Options = dict[str, bool | int | str]


class Hints:
    """The hints of failures by code. Those that differ only in a value become one, with the largest value."""

    def __init__(self) -> None:
        """Start without hints."""
        self._options_by_condition: dict[str, dict[str, Options]] = {}

    def add(self, failure: Failure) -> None:
        """Add the hint of ``failure``, if it has one."""
        if failure.hint:
            hints = self._options_by_condition.setdefault(failure.code, {})
            condition = failure.hint.removesuffix(retry_command(failure.options)) if failure.options else failure.hint
            if condition in hints or len(hints) < _MAX_PER_CODE:
                hints[condition] = _merged(hints.get(condition, {}), failure.options)

    def of(self, code: str, arguments: str, *, retry: str = "") -> Iterator[str]:
        """Yield the hints for ``code``. ``arguments`` are those that name the output of the run to a command.

        ``retry`` is the command that processes the images again, if that is not ``pixmill retry``.
        """
        for condition, merged in self._options_by_condition.get(code, {}).items():
            hint = condition + (retry_command(merged) if merged else "")
            yield with_arguments(hint, arguments, retry=retry)


def command_arguments(destination: str, state: str | None) -> str:
    """Return the shell arguments with which a command finds the ledger of ``destination``, if needed with ``--state``."""
    option = f" --state {shlex.quote(printable(state))}" if state else ""
    return shlex.quote(printable(destination)) + option


def arguments_of(config: RunConfig) -> str:
    """Return the shell arguments with which a command finds the ledger of the run of ``config``."""
    return command_arguments(config.destination, config.placement.state)


def with_arguments(text: str, arguments: str, *, retry: str = "") -> str:
    """Return ``text`` with ``arguments`` instead of the DST of each command: *pixmill retry DST* becomes *pixmill retry out*.

    ``retry`` is the command that processes the images again, if that is not ``pixmill retry``.
    """
    return _COMMAND.sub(lambda match: retry if retry and match[1] == _RETRY else f"{match[1]} {arguments}", text)


def _merged(first: Options, second: Options) -> Options:
    largest = dict(first)
    for name, value in second.items():
        largest[name] = max(largest.get(name, value), value, key=lambda each: _amount(name, each))
    return largest


def _amount(name: str, value: bool | int | str) -> float:  # noqa: FBT001  # the value of an option
    """Return the number that ``value`` of the option ``name`` stands for; 0 if it is none."""
    declared = _members(options()[name].field.type) if name in options() else ()
    quantity = next((kind for kind in declared if isinstance(kind, type) and issubclass(kind, Quantity)), None)
    try:
        return quantity.number(value) if quantity else float(value)
    except ValueError:
        return 0.0


def _members(kind: Any) -> Iterator[Any]:  # noqa: ANN401  # any declared type
    yield kind
    for member in get_args(kind):
        yield from _members(member)
