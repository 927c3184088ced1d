"""Arguments that a caller's own validation takes."""

import pytest

from tollhouse.simulated.schema import example

TREE = {
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}},
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "STRING"}, str),
        ({"type": ["null", "integer"]}, int),
        ({"type": "number", "minimum": 2, "maximum": 2}, float),
        ({"type": "boolean"}, bool),
        ({"type": "null"}, type(None)),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, list),
        ({"anyOf": [{"type": "object"}]}, dict),
        ({"properties": {}}, dict),
        (TREE, dict),
    ],
)
def test_a_value_has_the_type_that_is_asked_for(schema: dict[str, object], kind: type) -> None:
    assert type(example(schema, 12345)) is kind


def test_constants_enumerations_and_names_are_obeyed() -> None:
    properties = {
        "a": {"const": 7},
        "b": {"enum": ["x"]},
        "home_city": {"type": "string"},
        "left_out": {"type": "null"},
    }
    value = example({"type": "object", "properties": properties, "required": ["a", "b", "home_city"]}, 3)

    assert list(value) == ["a", "b", "home_city"]
    assert (value["a"], value["b"]) == (7, "x")
    assert value["home_city"] in {"Zürich", "Malmö", "Porto", "Lyon"}


@pytest.mark.parametrize("schema", [None, True, [], {"properties": []}, {"type": 5}, {"enum": 5}, {"$ref": "#/a/b"}])
def test_a_schema_that_is_none_has_some_value(schema: object) -> None:
    assert example(schema, 1) == {} or isinstance(example(schema, 1), str)
