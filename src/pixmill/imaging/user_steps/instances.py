"""Find the user's function or class, check its settings, and keep the one open instance of each class in this process."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from pixmill.core.errors import ConfigError, RecipeError, RunError
from pixmill.core.object_reference import import_object
from pixmill.core.suggestion import did_you_mean
from pixmill.core.units import ByteSize, TimeLimit
from pixmill.core.validation import InvalidValue, convert
from pixmill.imaging.operation import Resources
from pixmill.imaging.user_steps.step import Step

MAX_BATCH_SIZE = 32  # images, which are in memory at the same time
GPU = "GPU"  # as cluster engines call it
_Amount = Annotated[float, msgspec.Meta(ge=0)]
_MAKE_A_CLASS = "make it a class: class Name(pixmill.Step), whose annotated attributes are its settings"


def imported(name: str) -> Callable[..., Any]:
    """Return the function or class called ``name``. Raise ``RecipeError`` if it is missing, cannot be imported, or is no step."""
    try:
        found = import_object(name)
    except ConfigError as error:
        raise RecipeError(f"python.function: {error.message}", hint=error.hint) from None
    except RunError:  # its file starts a run
        raise
    except Exception as error:
        raise RecipeError(f"python.function: {name} cannot be imported: {describe_exception(error)}") from error
    if isinstance(found, type) and not issubclass(found, Step):
        raise RecipeError(f"python.function: {name} is a class, but not a step", hint="derive it from pixmill.Step")
    return found


def made(name: str, settings: Mapping[str, object]) -> Callable[..., Any]:
    """Return the function called ``name``, or a new instance of the class. Raise ``RecipeError`` if ``settings`` are wrong."""
    found = imported(name)
    if not isinstance(found, type):
        if settings:
            raise RecipeError(f"python.{next(iter(settings))}: {name} is a function, which has no settings", hint=_MAKE_A_CLASS)
        return found
    declared = {field.encode_name: field for field in msgspec.structs.fields(found)}
    values = {}
    for key, value in settings.items():
        if key not in declared:
            hint = f"{name} has {', '.join(declared) or 'no settings'}"
            raise RecipeError(f"python.{key}: no such setting{did_you_mean(key, declared)}", hint=hint)
        values[declared[key].name] = _checked(key, value, declared[key].type)
    if missing := [key for key, field in declared.items() if field.required and field.name not in values]:
        raise RecipeError(f"python.{missing[0]}: expected a value, received none")
    step: Step = found(**values)
    return step


def resources(name: str, settings: Mapping[str, object]) -> Resources:
    """Return what the step called ``name`` declares; nothing, if it is a function."""
    step = made(name, settings)
    if not isinstance(step, Step):
        return Resources()
    memory = 0 if step.memory is None else _checked("memory", step.memory, ByteSize)
    timeout = _checked("open_timeout", step.open_timeout, TimeLimit)
    size = _checked("batch_size", step.batch_size, Annotated[int, msgspec.Meta(ge=1, le=MAX_BATCH_SIZE)])
    needs = None if step.needs is None else tuple(step.needs)
    return Resources(memory, timeout, needs, size, tuple(_of_nodes(step)))


def _of_nodes(step: Step) -> Iterator[tuple[str, float]]:
    """Yield the resources that each worker with ``step`` needs of its node."""
    gpus = _checked("num_gpus", step.num_gpus, _Amount)
    if gpus > 1 and gpus != int(gpus):
        raise RecipeError(f"python.num_gpus: expected a part of one GPU or a whole number, received {gpus:g}")
    for name, amount in (GPU, gpus), *_checked("resources", dict(step.resources), dict[str, _Amount]).items():
        if amount:
            yield name, amount


def opened(name: str, settings: Mapping[str, object]) -> Callable[..., Any]:
    """Return the function, or the instance of the class that is open in this process: the first call opens it.

    Raise ``RecipeError`` if ``open`` fails.
    """
    found = imported(name)
    return _open(name, json.dumps(settings, sort_keys=True)) if isinstance(found, type) else found


def close(name: str, settings: Mapping[str, object]) -> None:
    """Close the instance if there is one: the next call of ``opened`` opens another."""
    step = opened(name, settings)
    if isinstance(step, Step):
        step.close()
        _open.cache_clear()


@cache
def _open(name: str, settings: str) -> Callable[..., Any]:
    step = made(name, json.loads(settings))
    try:
        if isinstance(step, Step):
            step.open()
    except Exception as error:
        message = f"python.function: {name}.open raised {describe_exception(error)}"
        raise RecipeError(message, hint="no image is at fault: fix the step, then run again") from error
    return step


def _checked(key: str, value: object, kind: Any) -> Any:  # noqa: ANN401  # any declared type
    try:
        return convert(value, kind)
    except InvalidValue as invalid:
        raise RecipeError(f"python.{key}{invalid.path}: {invalid}") from None


def describe_exception(error: Exception) -> str:
    """Return the exception on one line, with the location that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    location = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    sentence = traceback.format_exception_only(error)[-1].strip()
    return f"{sentence}{location}"
