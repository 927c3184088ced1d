"""Reading YAML nodes as the document's structs: every fault is found, each with its line."""

import re
from typing import Any, Final

import msgspec
import yaml
from msgspec import inspect
from yaml.constructor import SafeConstructor

from tollhouse.gateway.configuration.document import SecretSource
from tollhouse.gateway.configuration.findings import Findings, YamlPath, looks_like_credential, shown
from tollhouse.gateway.configuration.places import Member, Places, line_of, members
from tollhouse.gateway.configuration.shapes import allowed, field_names, is_within, one_of, without_null

_TAG = "tag:yaml.org,2002:"
_STRING, _NULL = f"{_TAG}str", f"{_TAG}null"
# YAML 1.1 reads `mode: off` as false and `api_version: 2024-10-21` as a date; where text is expected they are text.
_TEXT_TAGS = {_STRING, f"{_TAG}timestamp"}
_LITERAL_TAGS = {_STRING, f"{_TAG}bool"}
_NUMBER_TAGS = {f"{_TAG}int": "number", f"{_TAG}float": "number", f"{_TAG}bool": "", f"{_TAG}timestamp": "date"}
_CREDENTIAL_ALLOWED = f"no secret in this file; a credential is given as {SecretSource.allowed}"


class Invalid:
    """What stands for a value that cannot be read; the fault is among the findings."""


INVALID: Final = Invalid()


class Checker:
    """Turns nodes into values of the document's types, and notes each value's place and each fault."""

    def __init__(self, places: Places, findings: Findings) -> None:
        self._places = places
        self._findings = findings
        self._numbers = SafeConstructor()

    def check(self, node: yaml.Node, kind: inspect.Type, path: YamlPath, *, is_secret: bool = False) -> Any:
        """The value of ``node``, INVALID where it has none of this type. ``is_secret``: no message may quote it."""
        only, has_null = without_null(kind)
        if has_null and node.tag == _NULL:
            return None
        match only:
            case inspect.StructType():
                value = self._struct(node, only, path)
            case inspect.DictType():
                value = self._dict(node, only, path)
            case inspect.VarTupleType() | inspect.ListType():
                value = self._items(node, only, path)
            case inspect.AnyType():
                return node
            case _:
                value = self._scalar(node, only, path)
        if isinstance(value, Invalid):
            self._wrong(node, path, _found(node, is_quoted=not is_secret and _is_scalar(only)), allowed(kind))
        return value

    def _wrong(self, node: yaml.Node, path: YamlPath, found: str, permitted: str) -> None:
        self._findings.add(max(line_of(node), self._places.line(path)), path, found, permitted)

    def _struct(self, node: yaml.Node, kind: inspect.StructType, path: YamlPath) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return INVALID
        is_secret = issubclass(kind.cls, SecretSource)
        fields = {field.name: field for field in kind.fields}
        values: dict[str, Any] = {}
        for member in self._members(node, path, is_quoted=not is_secret):
            if member.key in fields:
                inner = (*path, member.key)
                values[member.key] = self.check(member.value, fields[member.key].type, inner, is_secret=is_secret)
            else:
                place = path if is_secret else (*path, member.key)
                self._findings.add(member.line, place, "an unknown key", one_of(field_names(kind)))
        return self._made(kind, values, path)

    def _made(self, kind: inspect.StructType, values: dict[str, Any], path: YamlPath) -> Any:
        """The struct, with defaults in the place of faulty members so that the rest of it is checked too."""
        usable = {name: value for name, value in values.items() if not isinstance(value, Invalid)}
        missing = [field for field in kind.fields if field.required and field.name not in usable]
        for field in missing:
            if field.name not in values:
                inner = (*path, field.name)
                self._findings.add(self._places.line(path), inner, "nothing", allowed(field.type))
        if missing:
            return None
        struct: msgspec.Struct = kind.cls(**usable)
        self._places.bind(struct, path)
        return struct

    def _dict(self, node: yaml.Node, kind: inspect.DictType, path: YamlPath) -> Any:
        if not isinstance(node, yaml.MappingNode) or (kind.min_length and not node.value):
            return INVALID
        found: dict[str, Any] = {}
        for member in self._members(node, path):
            inner = (*path, member.key)
            if looks_like_credential(member.key):
                self._findings.add(member.line, inner, "what looks like a credential", _CREDENTIAL_ALLOWED)
            elif (value := self.check(member.value, kind.value_type, inner)) is not None and value is not INVALID:
                found[member.key] = value
        return found

    def _members(self, node: yaml.MappingNode, path: YamlPath, *, is_quoted: bool = True) -> list[Member]:
        once: list[Member] = []
        for member in members(node):
            place = (*path, member.key) if is_quoted else path
            if member.first_line is not None:
                found = f"the key again, first on line {member.first_line}"
                self._findings.add(member.line, place, found, "each key once in a mapping")
            else:
                self._places.add((*path, member.key), member.line)
                once.append(member)
        return once

    def _items(self, node: yaml.Node, kind: inspect.VarTupleType | inspect.ListType, path: YamlPath) -> Any:
        if not isinstance(node, yaml.SequenceNode) or (kind.min_length and not node.value):
            return INVALID
        kept: list[tuple[int, Any]] = []
        for index, item in enumerate(node.value):
            self._places.add((*path, index), line_of(item))
            value = self.check(item, kind.item_type, (*path, index))
            if value is not None and value is not INVALID:
                kept.append((index, value))
        items = tuple(value for _, value in kept)
        self._places.bind_items(items, tuple(index for index, _ in kept))
        return items if isinstance(kind, inspect.VarTupleType) else list(items)

    def _scalar(self, node: yaml.Node, kind: inspect.Type, path: YamlPath) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return INVALID
        match kind:
            case inspect.StrType():
                return self._text(node, kind, path)
            case inspect.LiteralType():
                return node.value if node.tag in _LITERAL_TAGS and node.value in kind.values else INVALID
            case inspect.BoolType():
                return self._numbers.construct_yaml_bool(node) if node.tag == f"{_TAG}bool" else INVALID
            case inspect.IntType() | inspect.FloatType():
                return self._number(node, kind)
            case _:
                return INVALID

    def _text(self, node: yaml.ScalarNode, kind: inspect.StrType, path: YamlPath) -> Any:
        text: str = node.value
        if node.tag not in _TEXT_TAGS:
            return INVALID
        if looks_like_credential(text):
            self._wrong(node, path, "what looks like a credential", _CREDENTIAL_ALLOWED)
            return INVALID
        if not (kind.min_length or 0) <= len(text) <= (kind.max_length or len(text)):
            return INVALID
        return text if kind.pattern is None or re.search(kind.pattern, text) else INVALID

    def _number(self, node: yaml.ScalarNode, kind: inspect.IntType | inspect.FloatType) -> Any:
        if node.tag == f"{_TAG}int":
            number = self._numbers.construct_yaml_int(node)
        elif node.tag == f"{_TAG}float" and isinstance(kind, inspect.FloatType):
            number = self._numbers.construct_yaml_float(node)
        else:
            return INVALID
        if not is_within(kind, number):
            return INVALID
        return float(number) if isinstance(kind, inspect.FloatType) else number


def _is_scalar(kind: inspect.Type) -> bool:
    structured = (inspect.StructType, inspect.DictType, inspect.VarTupleType, inspect.ListType)
    return not isinstance(kind, structured)


def _found(node: yaml.Node, *, is_quoted: bool) -> str:
    """What ``node`` is; ``is_quoted``: and its text, which then is no secret."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping" if node.value else "an empty mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list" if node.value else "an empty list"
    if node.tag == _NULL:
        return "nothing (null)"
    word = _NUMBER_TAGS.get(node.tag, "text")
    if is_quoted and isinstance(node.value, str):
        return f"{word} {node.value}".strip() if word != "text" else f"text {shown(node.value)}"
    return f"a {word or 'truth value'} in its place"
