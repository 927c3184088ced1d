"""The tables of docs/gateway-configuration.md, made from the document's structs and the kinds of providers."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from tollhouse.gateway.configuration.document import Gateway, Text
from tollhouse.gateway.configuration.kinds import KINDS
from tollhouse.gateway.configuration.shapes import allowed, description, one_of, plain, without_null

_ANY_TEXT = allowed(inspect.type_info(Text))


def reference() -> str:
    """A table of keys for each mapping of the file, the outer ones first."""
    return "\n".join(_tables(inspect.type_info(Gateway), "gateway"))


def keys() -> list[str]:
    """Every key that can be set, dotted: ``gateway.providers.<name>.kind``, ``….destinations[].weight``."""
    return [name for name, kind in _leaves(inspect.type_info(Gateway), "gateway") if _inner(kind, name) is None]


def kinds_table() -> str:
    """What a provider of each kind has by default."""
    rows = [
        "| kind | `base_url` | `protocols` | may name besides | credential goes into | `prices_as` |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, kind in KINDS.items():
        more = [wire for wire in kind.can_speak if wire not in kind.speaks]
        url = f"`{kind.base_url}`" if kind.base_url else "required"
        header = f"`{kind.credential_header}: {kind.credential_prefix}…`"
        prices = f"`{kind.prices_as}`" if kind.prices_as else "the provider's name"
        rows.append(f"| `{name}` | {url} | {_code(kind.speaks)} | {_code(more) or '-'} | {header} | {prices} |")
    return "\n".join([*rows, ""])


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _leaves(kind: inspect.Type, prefix: str) -> Iterator[tuple[str, inspect.Type]]:
    for field in _struct(kind).fields:
        name = f"{prefix}.{field.name}"
        yield name, field.type
        inner = _inner(field.type, name)
        if inner is not None:
            yield from _leaves(inner[1], inner[0])


def _tables(kind: inspect.Type, prefix: str) -> Iterator[str]:
    yield from (f"### `{prefix}`", "", "| key | value | default | meaning |", "| --- | --- | --- | --- |")
    below: list[tuple[str, inspect.Type]] = []
    for field in _struct(kind).fields:
        inner = _inner(field.type, f"{prefix}.{field.name}")
        if inner is not None:
            below.append(inner)
        yield f"| `{field.name}` | {_value(field.type)} | {_default(field)} | {description(field.type)} |"
    yield ""
    for name, inner_kind in below:
        yield from _tables(inner_kind, name)


def _value(kind: inspect.Type) -> str:
    """The type in words; a mapping of known keys has a table of its own."""
    only, has_null = without_null(kind)
    inner = _inner(only, "")
    if inner is None:
        return allowed(kind).replace(_ANY_TEXT, "text").replace("|", "\\|")
    word = "a mapping"
    if not isinstance(only, inspect.StructType):
        word = "mappings by name" if isinstance(only, inspect.DictType) else "a list of mappings"
    return one_of([word, "null"]) if has_null else word


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, msgspec.Struct):
        return "as below"
    return "`null`" if value is None else f"`{msgspec.json.encode(value).decode().strip(chr(34))}`"


def _inner(kind: inspect.Type, name: str) -> tuple[str, inspect.Type] | None:
    """The mapping of known keys that ``kind`` is or holds, and what it is called; None where it holds none."""
    only, _ = without_null(kind)
    match only:
        case inspect.StructType():
            return name, only
        case inspect.DictType() if isinstance(plain(only.value_type), inspect.StructType):
            return f"{name}.<name>", plain(only.value_type)
        case inspect.VarTupleType() if isinstance(plain(only.item_type), inspect.StructType):
            return f"{name}[]", plain(only.item_type)
        case _:
            return None


def _struct(kind: inspect.Type) -> inspect.StructType:
    if not isinstance(kind, inspect.StructType):
        raise TypeError(f"{kind} is no mapping of known keys")
    return kind
