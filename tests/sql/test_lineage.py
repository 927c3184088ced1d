from tollhouse.sql.dialects import parse_model
from tollhouse.sql.lineage import column_lineage

CALLS = {"silver.calls": {"a": "BIGINT", "b": "BIGINT", "s": "STRUCT<x: BIGINT>", "xs": "ARRAY<BIGINT>"}}


def lineage_of(sql):
    return column_lineage(parse_model(sql, where="x"), CALLS)


def test_a_column_is_traced_through_ctes_to_its_table():
    sql = "WITH c AS (SELECT a + b AS ab, a FROM silver.calls) SELECT ab AS total, max(a) AS top, 1 AS one FROM c"
    assert lineage_of(sql) == {
        "total": [("silver.calls", "a"), ("silver.calls", "b")],
        "top": [("silver.calls", "a")],
        "one": [],
    }


def test_both_sides_of_a_union_are_sources():
    sql = "SELECT a AS x FROM silver.calls UNION ALL SELECT b FROM silver.calls"
    assert lineage_of(sql) == {"x": [("silver.calls", "a"), ("silver.calls", "b")]}


def test_an_exploded_element_comes_from_its_array():
    sql = "SELECT e AS x, c.s.x AS y FROM silver.calls AS c LATERAL VIEW explode(c.xs) t AS e"
    assert lineage_of(sql) == {"x": [("silver.calls", "xs")], "y": [("silver.calls", "s")]}


def test_a_star_is_expanded_from_the_contract():
    assert list(lineage_of("SELECT * FROM silver.calls")) == ["a", "b", "s", "xs"]
