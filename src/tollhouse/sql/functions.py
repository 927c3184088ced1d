"""Functions of Databricks SQL that sqlglot does not map to DuckDB, or maps to something else.

``rewrite`` replaces them in a parsed tree; ``FunctionList`` is the allow-list of ``sql/functions/allowed.yml``.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp

from tollhouse.errors import QueryError
from tollhouse.sql.json_schema import json_structure

Rewrite = Callable[[exp.Expr], exp.Expr]

# Spark gives NULL for '7.5', '1e3', '0x10' and '1_000' where DuckDB rounds or accepts; eighteen digits cannot overflow.
WHOLE_NUMBER = "[+-]?[0-9]{1,18}"
_WHOLE_TYPES = (exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT)
_TRUNC_UNITS = {"YYYY": "YEAR", "YY": "YEAR", "MM": "MONTH", "MON": "MONTH"}
_DEFAULT_UNIX_FORMAT = "%Y-%mstrict-%dstrict %Hstrict:%Mstrict:%Sstrict"


@lru_cache(maxsize=256)
def _parsed(template: str) -> exp.Expr:
    return sqlglot.parse_one(template, read="duckdb")


def build(template: str, **parts: exp.Expr) -> exp.Expr:
    """``template`` is DuckDB SQL in which a bare column ``_name`` stands for the part of that name."""
    tree = _parsed(template).copy()
    for column in list(tree.find_all(exp.Column)):
        part = parts.get(column.name.removeprefix("_")) if column.name.startswith("_") else None
        if part is not None:
            column.replace(_wrapped(part.copy()))
    return tree


def _wrapped(part: exp.Expr) -> exp.Expr:
    return exp.paren(part, copy=False) if isinstance(part, (exp.Binary, exp.Unary)) else part


def _lambda_names(function: exp.Expr) -> list[str]:
    return [identifier.name for identifier in function.expressions]


def _substituted(body: exp.Expr, replacements: dict[str, exp.Expr]) -> exp.Expr:
    """``body`` with its lambda parameters replaced."""

    def swap(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Identifier) and node.name in replacements and _is_parameter(node):
            return _wrapped(replacements[node.name].copy())
        return node

    return body.copy().transform(swap)


def _is_parameter(node: exp.Identifier) -> bool:
    """Whether the identifier is a use of a lambda's parameter: not a column, a field, an alias or a declaration."""
    parent, key = node.parent, node.arg_key
    if isinstance(parent, (exp.Column, exp.TableAlias)) or key == "alias":
        return False
    declared = isinstance(parent, exp.Lambda) and key == "expressions"
    field = isinstance(parent, exp.Dot) and key == "expression"
    return not declared and not field and not (isinstance(parent, exp.PropertyEQ) and key == "this")


def _lambda(body: exp.Expr, *names: str) -> exp.Lambda:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _over_entries(function_name: str, template: str) -> Rewrite:
    """A map function as a list function over the map's entries; the template sees _key, _value and _body."""

    def rule(node: exp.Expr) -> exp.Expr:
        items, function = node.expressions
        names = _lambda_names(function)
        entry = exp.to_identifier("__".join(["", *names]))
        key, value = (exp.Dot(this=entry.copy(), expression=exp.to_identifier(part)) for part in ("key", "value"))
        body = _substituted(function.this, {names[0]: key, names[1]: value})
        changed = exp.Lambda(this=build(template, key=key, value=value, body=body), expressions=[entry])
        return _call("MAP_FROM_ENTRIES", _call(function_name, _call("MAP_ENTRIES", items), changed))

    return rule


def _exists(node: exp.Expr) -> exp.Expr:
    if not isinstance(node.args.get("expression"), exp.Lambda):
        return node
    return build("LEN(_kept) > 0", kept=_call("LIST_FILTER", node.this, node.expression))


def _forall(node: exp.Expr) -> exp.Expr:
    items, function = node.expressions
    against = _lambda(exp.not_(exp.paren(function.this.copy())), *_lambda_names(function))
    return build("LEN(_kept) = 0", kept=_call("LIST_FILTER", items, against))


def _indexed_lambda(node: exp.Expr) -> exp.Expr:
    """Spark counts the elements given to ``(x, i) -> …`` from 0, DuckDB from 1."""
    function = node.args.get("expression")
    if not isinstance(function, exp.Lambda) or len(function.expressions) < 2:
        return node
    index = function.expressions[1]
    shifted = exp.Sub(this=index.copy(), expression=exp.Literal.number(1))
    function.set("this", _substituted(function.this, {index.name: shifted}))
    return node


def _reduce(node: exp.Expr) -> exp.Expr:
    finish = node.args.pop("finish", None)
    if finish is None:
        return node
    return exp.paren(_substituted(finish.this, {_lambda_names(finish)[0]: node.copy()}))


def _from_json(node: exp.Expr) -> exp.Expr:
    schema = node.expression
    if not (isinstance(schema, exp.Literal) and schema.is_string):
        raise QueryError("from_json needs its schema as a string literal", hint="write from_json(text, 'a STRING')")
    # TRY: a malformed text is NULL, as on Spark, rather than the end of the batch.
    return build("TRY(FROM_JSON(_text, _structure))", text=node.this, structure=json_structure(schema.name))


def _try_cast(node: exp.Expr) -> exp.Expr:
    if not node.args["to"].is_type(*_WHOLE_TYPES):
        return node
    guard = (
        "CASE WHEN TYPEOF(_value) <> 'VARCHAR' OR REGEXP_FULL_MATCH(CAST(_value AS TEXT), "
        f"'{WHOLE_NUMBER}') THEN _cast END"
    )
    return build(guard, value=node.this, cast=node.copy())


def _cast(node: exp.Expr) -> exp.Expr:
    """to_timestamp(x) is parsed as a cast to a time without a zone; ours are all UTC instants."""
    if node.args["to"].is_type(exp.DType.TIMESTAMP):
        node.set("to", exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"))
    return node


def _trunc(node: exp.Expr) -> exp.Expr:
    unit = node.args["unit"].name.upper()
    return build(f"CAST(DATE_TRUNC('{_TRUNC_UNITS.get(unit, unit)}', _day) AS DATE)", day=node.this)


def _unix_timestamp(node: exp.Expr) -> exp.Expr:
    if node.args["format"].name == _DEFAULT_UNIX_FORMAT:
        return build("(EPOCH_US(CAST(_time AS TIMESTAMPTZ)) // 1000000)", time=node.this)
    return build("CAST(_seconds AS BIGINT)", seconds=node.copy())


def _substring(node: exp.Expr) -> exp.Expr:
    start = node.args.get("start")
    if isinstance(start, exp.Literal) and start.name == "0":
        node.set("start", exp.Literal.number(1))
    return node


def _substring_index(node: exp.Expr) -> exp.Expr:
    pick = "CASE WHEN _n > 0 THEN LIST_SLICE(_all, 1, _n) ELSE LIST_SLICE(_all, _n, -1) END"
    parts = build("STRING_SPLIT(_text, _mark)", text=node.this, mark=node.args["delimiter"])
    picked = build(pick, n=node.args["count"], all=parts)
    return build("ARRAY_TO_STRING(_picked, _mark)", picked=picked, mark=node.args["delimiter"])


def _lateral(node: exp.Expr) -> exp.Expr:
    """explode of a map gives two columns; OUTER keeps a row whose array is empty or NULL."""
    view, alias = node.this, node.args.get("alias")
    if not node.args.get("view"):
        raise QueryError(
            f"LATERAL {view.sql('databricks')} is not supported", hint="write LATERAL VIEW explode(…) t AS x"
        )
    if type(view) is exp.Explode and alias is not None and len(alias.columns) == 2:
        node.set("this", exp.Inline(this=_call("MAP_ENTRIES", view.this)))
    if node.args.get("outer"):
        _keep_rows_without_elements(node)
    return node


def _keep_rows_without_elements(node: exp.Expr) -> None:
    view = node.this
    if type(view) not in (exp.Explode, exp.Inline):
        raise QueryError(
            f"LATERAL VIEW OUTER {view.sql('databricks')} is not supported", hint="use OUTER explode or inline"
        )
    view.set("this", _never_empty(view.this))
    node.set("outer", None)


def _never_empty(items: exp.Expr) -> exp.Expr:
    return build("CASE WHEN CARDINALITY(_items) > 0 THEN _items ELSE [NULL] END", items=items)


def _explode_outer(node: exp.Expr) -> exp.Expr:
    return exp.Explode(this=_never_empty(node.this))


def _template(template: str) -> Rewrite:
    """Arguments in the order of the parsed node (``this``, then ``expression``, then the others) are _0, _1, …"""
    return lambda node: build(template, **{str(i): part for i, part in enumerate(_arguments(node))})


def _arguments(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Anonymous):
        yield from node.expressions
        return
    for name in node.arg_types:
        value = node.args.get(name)
        if isinstance(value, exp.Expr):
            yield value
        elif isinstance(value, list):
            yield from value


def _in_try(node: exp.Expr) -> exp.Expr:
    return _call("TRY", node.copy())


BY_TYPE: dict[type[exp.Expr], Rewrite] = {
    exp.ArrayDistinct: _template("LIST_FILTER(_0, LAMBDA __x, __i : LIST_POSITION(_0, __x) = __i)"),
    exp.ArrayFilter: _indexed_lambda,
    exp.ArraySize: _template("CAST(CARDINALITY(_0) AS INT)"),
    exp.Cast: _cast,
    exp.DateTrunc: _trunc,
    exp.DayOfWeek: _template("CAST(DAYOFWEEK(_0) + 1 AS INT)"),
    exp.Exists: _exists,
    exp.AtTimeZone: _template("CAST(TIMEZONE(_1, _0) AS TIMESTAMPTZ)"),
    exp.FromJson: _from_json,
    exp.JSONExtractScalar: _in_try,
    exp.Lateral: _lateral,
    exp.MapContainsKey: lambda node: build("MAP_CONTAINS(_m, _k)", m=node.this, k=node.args["key"]),
    exp.Quantile: _template("QUANTILE_CONT(_0, _1)"),
    exp.Reduce: _reduce,
    exp.SafeAdd: _template("TRY(_0 + _1)"),
    exp.SafeMultiply: _template("TRY(_0 * _1)"),
    exp.SafeSubtract: _template("TRY(_0 - _1)"),
    exp.StrToTime: lambda node: build("CAST(_time AS TIMESTAMPTZ)", time=node.copy()),
    exp.StrToUnix: _unix_timestamp,
    exp.Substring: _substring,
    exp.SubstringIndex: _substring_index,
    exp.Transform: _indexed_lambda,
    exp.TryCast: _try_cast,
    exp.TsOrDsAdd: lambda node: build("CAST(_day AS DATE)", day=node.copy()),
    exp.UnixMillis: _template("(EPOCH_US(_0) // 1000)"),
    exp.UnixSeconds: _template("(EPOCH_US(_0) // 1000000)"),
}

BY_NAME: dict[str, Rewrite] = {
    "ARRAY_UNION": _template("LIST_DISTINCT(LIST_CONCAT(_0, _1))"),
    "BIGINT": _template("CAST(_0 AS BIGINT)"),
    "CARDINALITY": _template("CAST(CARDINALITY(_0) AS INT)"),
    "EVERY": _template("BOOL_AND(_0)"),
    "FORALL": _forall,
    "GET": _template("CASE WHEN _1 >= 0 THEN LIST_EXTRACT(_0, _1 + 1) END"),
    "ISNOTNULL": _template("(NOT _0 IS NULL)"),
    "ISNULL": _template("(_0 IS NULL)"),
    "JSON_ARRAY_LENGTH": _template("CAST(TRY(JSON_ARRAY_LENGTH(_0)) AS INT)"),
    "MAP_FILTER": _over_entries("LIST_FILTER", "(_body)"),
    "OCTET_LENGTH": _template("CAST(STRLEN(_0) AS INT)"),
    "PMOD": _template("(((_0 % _1) + _1) % _1)"),
    "TIMESTAMP_MICROS": _template("MAKE_TIMESTAMPTZ(_0)"),
    "TIMESTAMP_MILLIS": _template("MAKE_TIMESTAMPTZ(CAST(_0 AS BIGINT) * 1000)"),
    "TIMESTAMP_SECONDS": _template("MAKE_TIMESTAMPTZ(CAST(TRUNC(_0 * CAST(1000000 AS DECIMAL(19, 0))) AS BIGINT))"),
    "TRANSFORM_KEYS": _over_entries("LIST_TRANSFORM", "{'key': _body, 'value': _value}"),
    "TRANSFORM_VALUES": _over_entries("LIST_TRANSFORM", "{'key': _key, 'value': _body}"),
    "TRY_TO_TIMESTAMP": _template("TRY_CAST(_0 AS TIMESTAMPTZ)"),
    "WEEKDAY": _template("CAST(ISODOW(CAST(_0 AS DATE)) - 1 AS INT)"),
}
"""Functions that sqlglot leaves without a type of their own, by upper-case name."""

# Not mapped by sqlglot, but DuckDB has the same function under the same name.
SAME_NAME = frozenset({"MAP_CONCAT", "MAP_ENTRIES", "MAKE_DATE"})


def is_known(node: exp.Anonymous) -> bool:
    """Whether an untyped function is one that ``rewrite`` understands."""
    return node.name.upper() in BY_NAME or node.name.upper() in SAME_NAME


def _rule(node: exp.Expr) -> Rewrite | None:
    if isinstance(node, exp.Anonymous):
        return BY_NAME.get(node.name.upper())
    # explode_outer's class is a private one below ExplodeOuter.
    return _explode_outer if isinstance(node, exp.ExplodeOuter) else BY_TYPE.get(type(node))


def rewrite(tree: exp.Expr) -> exp.Expr:
    """Replace, in place, every function of the registry; returns the tree. Inner functions come first."""
    for node in reversed(list(tree.walk(bfs=False))):
        rule = _rule(node)
        if rule is None:
            continue
        changed = rule(node)
        if changed is not node and node is tree:
            tree = changed
        elif changed is not node:
            node.replace(changed)
    return tree
