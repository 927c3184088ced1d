"""Behaviours as text, and the page that lists them."""

import re
from pathlib import Path

import pytest

from tollhouse.simulated.behaviours import HEAD, KEYS, PLAIN, BehaviourError, behaviour_of

PAGE = (Path(__file__).parents[2] / "docs" / "simulated.md").read_text()


def test_the_docs_list_exactly_the_keys_there_are() -> None:
    section = PAGE.partition("| key | meaning |")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == list(KEYS)


def test_a_later_text_wins_key_by_key() -> None:
    behaviour = behaviour_of("words=3; text=a", "", "text=b%3B%20c;id=x")

    assert (behaviour.words, behaviour.text, behaviour.id) == (3, "b; c", "x")


def test_places_and_flags_have_short_forms() -> None:
    behaviour = behaviour_of("hang=head; reset=after:7; cut=2; gzip; echo=false; thinking; tools; odd=all")

    assert (behaviour.hang, behaviour.reset, behaviour.cut) == (HEAD, 7, 2)
    assert (behaviour.gzip, behaviour.echo, behaviour.thinking, behaviour.tools) == (True, False, 160, 1)
    assert behaviour.odd == ("duplicate_keys", "big_ints", "lone_surrogates")


def test_only_what_concerns_delivery_needs_the_slow_road() -> None:
    assert not PLAIN.shapes_delivery
    assert not behaviour_of("words=3; status=500; usage=zero").shapes_delivery
    assert behaviour_of("event_ms=1").shapes_delivery


@pytest.mark.parametrize("text", ["what=1", "words=-1", "words=many", "usage=none", "gzip=perhaps", "status=200"])
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BehaviourError, match=text.partition("=")[0]):
        behaviour_of(text)
