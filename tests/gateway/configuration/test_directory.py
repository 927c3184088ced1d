from pathlib import Path

import pytest
from configured import with_endpoints

from tollhouse.gateway.configuration.patterns import Pattern

ENDPOINTS = """\
    all: {models: ["*"], destinations: [{provider: p}]}
    claude: {models: ["claude-*"], destinations: [{provider: p, model: claude-opus-5}, {provider: q, model: gpt-5}]}
    sonnet:
      models: ["claude-sonnet-*", "claude-sonnet", "*-thinking"]
      destinations: [{provider: p, model: claude-sonnet-5}]
      fallbacks: [{provider: q, model: claude-sonnet-4}, {provider: q, model: claude-opus-5-thinking}]
    fixed: {models: [claude-sonnet-4, gpt-5], destinations: [{provider: p}]}
    "o*": {destinations: [{provider: p}]}
"""


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("claude-sonnet", "sonnet"),
        ("claude-sonnet-5", "sonnet"),
        ("claude-sonnet-4", "fixed"),
        ("claude-opus-5", "claude"),
        ("claude-", "claude"),
        ("claude", "all"),
        ("claude-opus-5-thinking", "sonnet"),
        ("gpt-5", "fixed"),
        ("o3", "o*"),
        ("fixed", "all"),
        ("x\n*?[a]", "all"),
    ],
)
def test_an_exact_name_wins_then_the_pattern_that_fixes_more(tmp_path: Path, model: str, endpoint: str) -> None:
    configuration = with_endpoints(tmp_path, ENDPOINTS)

    for _ in range(2):
        found = configuration.endpoint_for(model)
        assert found is not None
        assert found.name == endpoint


def test_no_name_is_nobodys(tmp_path: Path) -> None:
    assert with_endpoints(tmp_path, ENDPOINTS).endpoint_for("") is None


def test_a_model_that_nothing_matches_has_no_endpoint(tmp_path: Path) -> None:
    configuration = with_endpoints(tmp_path, "gpt: {models: ['gpt-*'], destinations: [{provider: p}]}")

    assert configuration.endpoint_for("claude-5") is None
    assert configuration.endpoint_for("GPT-5") is None


def test_of_two_patterns_that_fix_as_much_the_first_in_the_file_wins(tmp_path: Path) -> None:
    endpoints = """\
        b: {models: ["*b"], destinations: [{provider: p}]}
        a: {models: ["a*"], destinations: [{provider: p}]}
    """
    found = with_endpoints(tmp_path, endpoints).endpoint_for("ab")

    assert found is not None
    assert found.name == "b"


def test_clients_cannot_make_it_remember_without_end(tmp_path: Path) -> None:
    configuration = with_endpoints(tmp_path, ENDPOINTS)
    for number in range(5000):
        assert configuration.endpoint_for(f"claude-{number}") is not None
    assert configuration.endpoint_for("x" * 1_000_000) is not None
    remembered = configuration._directory._matched

    assert len(remembered) <= 1024
    assert max(map(len, remembered)) <= 256


def test_a_list_of_models_has_names_and_what_patterns_serve(tmp_path: Path) -> None:
    configuration = with_endpoints(tmp_path, ENDPOINTS)

    assert configuration.visible_models([]) == [
        "claude-opus-5",
        "claude-sonnet-5",
        "claude-sonnet",
        "claude-opus-5-thinking",
        "claude-sonnet-4",
        "gpt-5",
    ]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a", ["a"], ["", "aa", "A"]),
        ("*", ["", "a", "\n"], []),
        ("a*", ["a", "ab"], ["", "ba"]),
        ("*a", ["a", "ba"], ["ab"]),
        ("a*a", ["aa", "aba"], ["a"]),
        ("a*b*c", ["abc", "a-b-c", "abbc"], ["acb", "ac", "abcd"]),
        ("*a*a*", ["aa", "xaxax"], ["a", "xax"]),
        ("ab*ba", ["abba"], ["aba"]),
        ("a**c", ["ac", "abc"], ["ab"]),
        ("a.c[1]?", ["a.c[1]?"], ["abc1x"]),
    ],
)
def test_a_star_is_any_text_and_nothing_else_has_a_meaning(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = Pattern(pattern)

    assert [text for text in matching if not compiled.matches(text)] == []
    assert [text for text in other if compiled.matches(text)] == []


def test_a_pattern_of_many_stars_reads_a_long_text_once() -> None:
    assert not Pattern("*a" * 30 + "*b").matches("a" * 1_000_000)
