"""The JSON schema of a recipe, generated from its declarations, for editors and for programs that write recipes."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pixmill.core.model import Model, describe_field, fields
from pixmill.core.variant import Variant
from pixmill.imaging.recipe import Recipe

Schema = dict[str, Any]
PLAIN: Mapping[Any, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "min_length": "minLength"}


def recipe_schema() -> Schema:
    """Return the schema of a recipe file, JSON Schema 2020-12."""
    definitions: dict[str, Schema] = {}
    reference = _schema(Recipe, definitions)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pixmill recipe"}
    return {**head, **reference, "$defs": dict(sorted(definitions.items()))}


def _schema(kind: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: ANN401  # any declared type
    origin, members = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return {**_schema(members[0], definitions), **_bounds(members[1:])}
    if origin is Literal:
        return {"enum": list(members)}
    if origin in (Union, types.UnionType):
        choices = [_schema(member, definitions) for member in members if member is not type(None)]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin in (tuple, Mapping):
        return {"type": "array", "items": _schema(members[0], definitions)} if origin is tuple else {"type": "object"}
    if isinstance(kind, type) and issubclass(kind, Model):
        return _model(kind, definitions)
    return {"type": PLAIN[kind]} if kind in PLAIN else {"type": ["string", "number"], "description": kind.expected}


def _model(model: type[Model], definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a family of variants (tables or text), or a reference to the schema of one model."""
    if issubclass(model, Variant) and "registry" in vars(model):
        tables = [_model(member, definitions) for _, member in model.registry]
        return {"anyOf": [*tables, {"type": "string", "description": "NAME:key=value,key=value"}]}
    if model.__name__ not in definitions:
        definitions[model.__name__] = {}  # reserved, because its members may refer to it
        definitions[model.__name__] = _table(model, definitions)
    return {"$ref": f"#/$defs/{model.__name__}"}


def _table(model: type[Model], definitions: dict[str, Schema]) -> Schema:
    config = model.__struct_config__
    properties: Schema = {config.tag_field: {"const": config.tag}} if config.tag_field else {}
    for field in fields(model):
        described = {"description": text} if (text := describe_field(field)) else {}
        properties[field.encode_name] = {**_schema(field.type, definitions), **described}
    required = [config.tag_field] if config.tag_field else []
    required += [field.encode_name for field in fields(model) if field.required]
    is_open = issubclass(model, Variant) and model.has_further_settings
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": is_open}


def _bounds(metadata: tuple[Any, ...]) -> Schema:
    return {
        word: value
        for meta in metadata
        for name, word in BOUNDS.items()
        if (value := getattr(meta, name, None)) is not None
    }  # fmt: skip
