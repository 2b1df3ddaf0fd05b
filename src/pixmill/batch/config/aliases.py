"""Names that other tools use for an option of ours: some work as they are, the others are answered with our name.

An alias is valid wherever an option is: as a flag, a variable, a key of a file and a keyword in Python.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pixmill.core.errors import ConfigError
from pixmill.core.model import fields
from pixmill.core.validation import did_you_mean


class Alias(msgspec.Struct, frozen=True):
    """Another name for ``option``. A switch has the ``value`` that it stands for; else the value is put into ``template``."""

    option: str
    value: str = ""
    template: str = "{}"

    @property
    def is_switch(self) -> bool:
        """Return whether the alias takes no value."""
        return bool(self.value)


ALIASES: Mapping[str, Alias] = {
    "overwrite": Alias("existing", "replace"),
    "jobs": Alias("workers"),
    "resize": Alias("size"),
    "width": Alias("size", template="{}x"),
    "height": Alias("size", template="x{}"),
    "strip": Alias("metadata", "strip"),
    "output_format": Alias("format"),
    "max_bytes": Alias("max_source_bytes"),  # its name before outputs had sizes of their own
}
#: Switches for what pixmill does anyway: they change nothing, and cannot be turned off.
ALWAYS_ON: Mapping[str, str] = {
    "recursive": "folders are always read with everything below them; --exclude leaves parts out",
    "auto_orient": "the EXIF orientation is always applied",
    "no_upscale": "images are only enlarged by a step with enlarge=true",
    "no_enlarge": "images are only enlarged by a step with enlarge=true",
}
#: Names of what pixmill does not have, or calls differently; and what to tell people who use them.
ANSWERS: Mapping[str, str] = {
    "max_size": "pixmill cannot limit the size of each output yet: --size limits width and height, --max-source-bytes what is read",
    "target_size": "pixmill cannot aim at a size in bytes yet: use --quality, --effort or --size",
    "target_quality": "pixmill cannot aim at a visual quality yet: use --quality",
    "in_place": "pixmill never changes its sources: give another folder as DST",
    "verbose": "use --progress plain, or --events FILE for every event",
    "enlarge": "use --step resize:width=...,enlarge=true",
    "upscale": "use --step resize:width=...,enlarge=true",
    "crop": "use --size WxH --fit cover, or --step crop:width=...,height=...",
    "suffix": "use --name '{dir}/{stem}-small.{ext}'",
    "prefix": "use --name '{dir}/small-{stem}.{ext}'",
    "gray": "use --step grayscale",
    "grey": "use --step grayscale",
    "greyscale": "use --step grayscale",
    "thumbnail": "use --size WxH",
    "square": "use --size NxN --fit cover",
    "lossless": "use --format webp:lossless=true",
    "no_gps": "use --metadata no-gps",
    "threads": "use --workers: each worker is a process on one core",
    "parallel": "use --workers",
}

#: Options of ``pixmill run`` that some commands which share its other options do not have; and the reason.
ONLY_OF_A_RUN: Mapping[str, str] = {
    "max_failures": "it is an option of pixmill run and pixmill retry: a watch never stops because of failures",
    "sample": "it is an option of pixmill run, which ends after the sample",
}


def unknown(message: str, name: str, names: Iterable[str]) -> ConfigError:
    """Return the error for the option ``name``, which none of ``names`` is: ``message`` with an answer or a suggestion."""
    key = name.lower().removeprefix("--").removeprefix("pixmill_").replace("-", "_")
    if hint := ANSWERS.get(key) or ONLY_OF_A_RUN.get(key) or _step(key):
        return ConfigError(message, hint=hint)
    return ConfigError(message + did_you_mean(name, names))


def _step(name: str) -> str:
    """Return the hint for an option that is called like an operation."""
    from pixmill.imaging.operation import Operation  # noqa: PLC0415  # only for a mistake

    if name not in Operation.registry.names() or name == "profile":  # --profile is an option, of other commands
        return ""
    required = ",".join(f"{field.encode_name}=..." for field in fields(Operation.named(name)) if field.required)
    return f"use --step {name}{':' if required else ''}{required}; pixmill explain {name} lists its settings"


def canonical(values: Mapping[str, object]) -> dict[str, object]:
    """Return ``values`` of options and aliases as values of options. ``ConfigError`` if two of them set one option."""
    for name in ALWAYS_ON:
        if name in values and not values[name]:
            raise ConfigError(f"{_flag(name)} cannot be turned off", hint=ALWAYS_ON[name])
    result = {name: value for name, value in values.items() if name not in ALIASES and name not in ALWAYS_ON}
    for option, value, names in _translated(values):
        if option in result:
            raise ConfigError(f"{_flag(names[0])} and {_flag(option)} set the same option", hint="give one of them")
        result[option] = value
    return result


def _translated(values: Mapping[str, object]) -> Iterator[tuple[str, object, list[str]]]:
    """Yield the option, the value and the aliases that were given for it: width and height together are one size."""
    given = [name for name in values if name in ALIASES]
    if "width" in given and "height" in given:
        given = [name for name in given if name not in ("width", "height")]
        yield "size", f"{values['width']}x{values['height']}", ["width", "height"]
    for name in given:
        alias = ALIASES[name]
        others = [other for other in given if other != name and ALIASES[other].option == alias.option]
        if others:
            raise ConfigError(f"{_flag(name)} and {_flag(others[0])} set the same option", hint="give one of them")
        if not alias.is_switch:
            yield alias.option, values[name] if alias.template == "{}" else alias.template.format(values[name]), [name]
        elif values[name]:
            yield alias.option, alias.value, [name]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
