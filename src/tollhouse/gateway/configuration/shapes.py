"""What a type of the document allows, in words: for messages and for the documentation."""

from msgspec import inspect


def plain(kind: inspect.Type) -> inspect.Type:
    """``kind`` without its description."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def description(kind: inspect.Type) -> str:
    """What the type's annotation says of its meaning, "" where it says nothing."""
    schema = kind.extra_json_schema if isinstance(kind, inspect.Metadata) else None
    return str((schema or {}).get("description", ""))


def without_null(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """The plain type, and whether null is allowed as well."""
    kind = plain(kind)
    if isinstance(kind, inspect.UnionType):
        (only,) = [member for member in kind.types if not isinstance(plain(member), inspect.NoneType)]
        return plain(only), True
    return kind, False


def allowed(kind: inspect.Type) -> str:
    """For example ``a whole number from 1 to 65535`` or ``cancel or drain, or null``."""
    only, has_null = without_null(kind)
    return f"{_words(only)}, or null" if has_null else _words(only)


def _words(kind: inspect.Type) -> str:
    words = "any value"
    match kind:
        case inspect.StructType():
            words = str(getattr(kind.cls, "allowed", "")) or f"a mapping with {one_of(field_names(kind))}"
        case inspect.DictType():
            words = f"a mapping of names, each with {allowed(kind.value_type)}"
        case inspect.VarTupleType() | inspect.ListType():
            words = f"a list{' of one or more' if kind.min_length else ''}, each {allowed(kind.item_type)}"
        case inspect.LiteralType():
            words = one_of(sorted(str(value) for value in kind.values))
        case inspect.IntType() | inspect.FloatType():
            words = _number(kind)
        case inspect.StrType():
            words = _text(kind)
        case inspect.BoolType():
            words = "true or false"
        case _:
            pass
    return words


def _text(kind: inspect.StrType) -> str:
    length = f" of {kind.min_length} to {kind.max_length} characters" if kind.max_length else ""
    return f"text{length}" + (f" that matches {kind.pattern}" if kind.pattern else "")


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    words = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    if kind.gt is not None:
        words += f" above {_digits(kind.gt)}"
    elif kind.ge is not None:
        words += f" from {_digits(kind.ge)}"
    return words if kind.le is None else f"{words} to {_digits(kind.le)}"


def _digits(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def one_of(words: list[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def field_names(kind: inspect.StructType) -> list[str]:
    """The keys of a mapping."""
    return [field.name for field in kind.fields]


def is_within(kind: inspect.IntType | inspect.FloatType, number: float) -> bool:
    """Whether ``number`` keeps the type's bounds; one that is not a number keeps none."""
    return (
        (kind.gt is None or number > kind.gt)
        and (kind.ge is None or number >= kind.ge)
        and (kind.le is None or number <= kind.le)
    )
