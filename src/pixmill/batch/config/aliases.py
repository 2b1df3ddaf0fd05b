"""Names that other tools use for an option of ours: some work as they are, the others are answered with our name.

An alias is valid wherever an option is: as a flag, a variable, a key of a file and a keyword in Python.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from pixmill.batch.config.answers import ANSWERS, ONLY_OF_A_RUN
from pixmill.core.errors import ConfigError
from pixmill.core.model import fields
from pixmill.core.suggestion import did_you_mean
from pixmill.core.validation import quoted


class Alias(msgspec.Struct, frozen=True):
    """Another name for ``option``. A switch has the ``value`` that it stands for; else ``write`` converts the value given.

    ``write`` raises ``ValueError`` with a description of the values that it accepts; ``form`` shows what it makes of VALUE.
    """

    option: str
    value: str | bool | tuple[str, ...] = ""
    write: Callable[[object], object] | None = None
    form: str = "VALUE"

    @property
    def is_switch(self) -> bool:
        """Return whether the alias takes no value."""
        return bool(self.value)


def _width(value: object) -> str:
    return f"{_side(value)}x"


def _height(value: object) -> str:
    return f"x{_side(value)}"


def _side(value: object) -> str:
    text = str(value).strip().lower().removesuffix("px")
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("a number of pixels such as 800 (--size takes a percentage)")
    return text


def _percentage(value: object) -> str:
    return f"{str(value).strip().removesuffix('%')}%"


def _scale(value: object) -> object:
    """Return a factor such as 0.5 as a percentage; other text is a percentage or a size already."""
    try:
        factor = float(str(value))
    except ValueError:
        return value
    if not 0 < factor <= 1:  # 50 may be a factor or a percentage
        raise ValueError("a percentage such as 50% or a factor such as 0.5")
    return f"{factor * 100:g}%"


_WIDTHS, _HEIGHTS = ("width", "max_width"), ("height", "max_height")
_LONGEST = ("longest", "longest_side", "longest_edge", "long_side", "long_edge", "max_dimension", "max_dim")
_LARGEST = ("target_size", "target_filesize", "max_filesize", "max_file_size", "filesize", "file_size")
_CORES = ("threads", "num_threads", "cpu", "cpus", "cores")  # each worker is a process on one core
_WORKERS = ("jobs", "processes", "procs", "parallel", "concurrency", "num_workers", "max_workers", *_CORES)
_STRIP = ("strip", "strip_metadata", "strip_exif", "strip_all", "no_metadata", "no_exif", "remove_metadata", "remove_exif")
_NO_GPS = ("no_gps", "remove_gps", "strip_gps", "no_location", "remove_location", "strip_location")
_KEEP_METADATA = ("keep_metadata", "preserve_metadata", "with_metadata", "keep_exif", "preserve_exif")
_KEEP_DATES = tuple(f"{verb}_{noun}" for verb in ("keep", "preserve") for noun in ("date", "dates", "time", "times", "mtime"))
ALIASES: Mapping[str, Alias] = {
    "overwrite": Alias("existing", "replace"),
    "replace": Alias("existing", "replace"),
    **dict.fromkeys(("skip_existing", "no_overwrite", "no_clobber"), Alias("existing", "skip")),
    **dict.fromkeys(_WORKERS, Alias("workers")),
    **dict.fromkeys(("resize", "geometry", "thumb", "thumbnail", "dimensions", *_LONGEST), Alias("size")),
    **dict.fromkeys(_LARGEST, Alias("max_size")),
    **dict.fromkeys(_WIDTHS, Alias("size", write=_width, form="VALUEx")),
    **dict.fromkeys(_HEIGHTS, Alias("size", write=_height, form="xVALUE")),
    **dict.fromkeys(("percent", "percentage"), Alias("size", write=_percentage, form="VALUE%")),
    "scale": Alias("size", write=_scale),
    **dict.fromkeys(("output_format", "to", "convert", "convert_to"), Alias("format")),
    **dict.fromkeys(_STRIP, Alias("metadata", "strip")),
    **dict.fromkeys(_KEEP_METADATA, Alias("metadata", "keep")),
    **dict.fromkeys(_KEEP_DATES, Alias("preserve", ("mtime",))),
    **dict.fromkeys(_NO_GPS, Alias("metadata", "no-gps")),
    **dict.fromkeys(("only", "pattern", "glob"), Alias("include")),
    "ignore": Alias("exclude"),
    "no_subfolders": Alias("flat", value=True),
    **dict.fromkeys(("follow", "follow_links", "dereference"), Alias("follow_symlinks", value=True)),
    **dict.fromkeys(("bg", "background_color", "background_colour"), Alias("background")),
    "colour": Alias("color"),
    "max_bytes": Alias("max_source_bytes"),  # its name before outputs had sizes of their own
}
_RESUMES = "a run always continues where the last one stopped, and processes only what is missing, new or changed"
_GOES_ON = "a failed image never stops the others; --max-failures sets how many may fail"
_NO_UPSCALE = "images are only enlarged by a step with enlarge=true"
#: Switches for what pixmill does anyway: they change nothing, and cannot be turned off.
ALWAYS_ON: Mapping[str, str] = {
    "recursive": "folders are always read with everything below them; --exclude leaves parts out",
    **dict.fromkeys(("auto_orient", "auto_rotate", "autorotate"), "the EXIF orientation is always applied"),
    **dict.fromkeys(("no_upscale", "no_enlarge"), _NO_UPSCALE),
    **dict.fromkeys(("resume", "continue", "incremental", "update"), _RESUMES),
    **dict.fromkeys(("keep_going", "skip_errors", "ignore_errors", "continue_on_error"), _GOES_ON),
    **dict.fromkeys(("keep_aspect_ratio", "preserve_aspect_ratio"), "the aspect ratio is kept, unless --fit is fill"),
}
#: Short flags of other tools for one of ``ALWAYS_ON``.
ALWAYS_ON_SHORT_FLAGS: Mapping[str, tuple[str, ...]] = {"recursive": ("-r", "-R")}


def unknown(
    message: str,
    name: str,
    names: Iterable[str],
    *,
    spell: Callable[[str], str] = str,
    other_commands: str = "",
    otherwise: str = "",
) -> ConfigError:
    """Return the error for the option ``name``, which none of ``names`` is: ``message`` with an answer or a suggestion.

    ``spell`` writes the flags of an answer as they are written where the name was. ``other_commands`` tells which commands have an
    option of that name. Without any of these, the hint is ``otherwise``.
    """
    key = name.lower().lstrip("-").removeprefix("pixmill_").replace("-", "_")
    if hint := ANSWERS.get(key) or ONLY_OF_A_RUN.get(key) or other_commands or _step(key):
        return ConfigError(message, hint=spell(hint))
    suggestion = did_you_mean(name, names)
    return ConfigError(message + suggestion, hint="" if suggestion else otherwise)


def _step(name: str) -> str:
    """Return the hint for an option that is called like an operation."""
    from pixmill.imaging.operation import Operation  # noqa: PLC0415  # only for a mistake

    name = Operation.registry.other_words.get(name, name)
    if name not in Operation.registry.names() or name == "profile":  # --profile is an option, of other commands
        return ""
    required = ",".join(f"{field.encode_name}=..." for field in fields(Operation.named(name)) if field.required)
    return f"use --step {name}{':' if required else ''}{required}; pixmill explain {name} lists its settings"


class Given(msgspec.Struct, frozen=True):
    """The value of an option, and the name under which it was given."""

    value: object
    name: str


def canonical(values: Mapping[str, object]) -> dict[str, Given]:
    """Return ``values`` of options and aliases as values of options. ``ConfigError`` if two of them set one option."""
    for name in ALWAYS_ON:
        if name in values and not values[name]:
            raise ConfigError(f"{_flag(name)} cannot be turned off", hint=ALWAYS_ON[name])
    result = {name: Given(value, name) for name, value in values.items() if name not in ALIASES and name not in ALWAYS_ON}
    for option, given in _translated(values):
        if option in result:
            raise ConfigError(f"{_flag(given.name)} and {_flag(result[option].name)} set the same option", hint="give one of them")
        result[option] = given
    return result


def _translated(values: Mapping[str, object]) -> Iterator[tuple[str, Given]]:
    """Yield the option of each alias, and its value: a width and a height together are one size."""
    given = {name: _written(name, value) for name, value in values.items() if name in ALIASES}
    widths, heights = ([name for name in given if name in names] for names in (_WIDTHS, _HEIGHTS))
    if len(widths) == len(heights) == 1:
        yield "size", Given(f"{given.pop(widths[0])}{given.pop(heights[0])}".replace("xx", "x"), widths[0])
    for name, value in given.items():
        if values[name] or not ALIASES[name].is_switch:
            yield ALIASES[name].option, Given(value, name)


def _written(name: str, value: object) -> object:
    """Return the value of the option of the alias ``name``."""
    alias = ALIASES[name]
    if alias.is_switch or alias.write is None:
        return alias.value or value
    try:
        return alias.write(value)
    except ValueError as error:
        raise ConfigError(f"{_flag(name)}: expected {error}, received {quoted(value)}") from None


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
