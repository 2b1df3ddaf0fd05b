"""A family of models that are distinguished by name: operations in a recipe, codecs of a rendition."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar, Self

from pixmill.core.errors import ConfigError
from pixmill.core.model import Model, fields
from pixmill.core.registry import Registry
from pixmill.core.units import plain

#: A comma that separates two settings, unlike those inside a value such as ``255,136,0``.
NEXT_SETTING = re.compile(r",+(?=[^,=]*=)")
#: What a single value probably sets, in a member that requires nothing.
_MAIN_SETTINGS = ("quality", "border", "width", "amount", "sigma", "angle")
#: A rectangle as other tools write it, ``400x300+10+20``.
_RECTANGLE = re.compile(r"(?P<width>\d+)x(?P<height>\d+)\+(?P<left>\d+)\+(?P<top>\d+)")
#: ``rotate=90``, ``rotate 90`` and ``rotate(90)``, in place of ``rotate:angle=90``.
_MISPLACED_SETTINGS = re.compile(r"\s*(?P<name>[a-z_-]+)[\s=(]\s*(?P<settings>[^:)]+)\)?\s*", re.IGNORECASE)


class Variant(Model, frozen=True, kw_only=True):
    """One member of a family. The member's tag is its name; ``registry`` finds the class for a name.

    As data: a table whose tag field (``operation = "resize"``) names the member. As text, on the command line:
    ``resize:width=800,fit=cover``. In Python: an instance.
    """

    registry: ClassVar[Registry[Any]]
    expected: ClassVar[str] = "a table of settings"
    #: A member may have settings that it does not declare.
    has_further_settings: ClassVar[bool] = False

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Return the member that ``data`` describes, checked; raise the family's error if it names no member."""
        if isinstance(data, cls):
            return data
        if isinstance(data, str):
            data = cls.parse_text(data)
        tag_field = str(cls.__struct_config__.tag_field)
        is_member = "registry" not in vars(cls)
        if is_member or not isinstance(data, dict):
            return super().from_builtins(data)
        if tag_field not in data:
            raise cls.error(f"{tag_field}: expected a name, received none")
        member: Self = cls.named(str(data[tag_field])).from_builtins(data)
        return member

    @classmethod
    def named(cls, name: str) -> type[Self]:
        """Return the member of the family called ``name``; raise the family's error if there is none."""
        member: type[Self] = cls.registry.get(name)
        return member

    def text(self) -> str:
        """Return the member in the command line's syntax, ``NAME:key=value``, without settings that have their default."""
        defaults = {field.encode_name: field.default for field in fields(type(self))}
        tag = str(self.__struct_config__.tag)
        settings = [
            f"{name}={_setting_text(value)}"
            for name, value in self.to_builtins().items()
            if name in defaults and getattr(self, name) != defaults[name]
        ]
        return f"{tag}:{','.join(settings)}" if settings else tag

    @classmethod
    def parse_text(cls, text: str) -> dict[str, object]:
        """Return ``NAME:key=value,key=value`` as a table; values that look like numbers or booleans are converted."""
        name, _, settings = text.partition(":")
        if misplaced := _MISPLACED_SETTINGS.fullmatch(text):
            cls._refuse_without_name(misplaced["name"], misplaced["settings"])
        data: dict[str, object] = {str(cls.__struct_config__.tag_field): name.strip()}
        for setting in filter(None, NEXT_SETTING.split(settings.strip(","))):
            key, equals, value = setting.partition("=")
            if not equals:
                cls._refuse_without_name(name.strip(), setting)
                cls.named(name.strip())
                raise cls.error(f"{name}: expected key=value, received {setting}")
            data[key.strip().replace("-", "_")] = _scalar(value.strip())
        return data

    @classmethod
    def _refuse_without_name(cls, name: str, value: str) -> None:
        """Raise an error with the right syntax for settings that do not follow a colon, or have no name; unknown ``name``: none."""
        try:
            declared = fields(cls.named(name))
        except ConfigError:
            return
        names = ", ".join(field.encode_name for field in declared)
        hint = f"{name} has {names or 'no settings'}"
        for settings in _named(value, [field.encode_name for field in declared if field.required], names.split(", ")):
            with suppress(ConfigError):
                cls.from_builtins(f"{name}:{settings}")
                hint = f"write {name}:{settings}; {hint}"
                break
        raise cls.error(f"{name}: expected key=value, received {value}", hint=hint)


def _named(value: str, required: list[str], names: list[str]) -> Iterator[str]:
    """Yield what ``value`` without a name may mean, as settings of a member that has ``names``."""
    if "=" in value:
        yield value
    if value in names:
        yield f"{value}=true"
    if (rectangle := _RECTANGLE.fullmatch(value)) and rectangle.groupdict().keys() <= set(names):
        yield ",".join(f"{name}={pixels}" for name, pixels in rectangle.groupdict().items())
    width, times, height = value.partition("x")
    if times and {"width", "height"}.issubset(names):
        yield f"width={width},height={height}"
    for name in required or [name for name in names if name in _MAIN_SETTINGS]:
        yield f"{name}={value}"


def _setting_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, float) else str(value)


def _scalar(text: str) -> object:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
