from tollhouse.demo.dice import Dice
from tollhouse.demo.prose import Prose


def test_text_is_about_as_long_as_asked_for() -> None:
    prose = Prose(Dice(1))

    for wanted in (100, 500, 2_000):
        assert wanted <= len(prose.text(wanted)) < wanted + 250


def test_the_same_seed_says_the_same() -> None:
    assert Prose(Dice(4)).text(900) == Prose(Dice(4)).text(900)
    assert Prose(Dice(4)).text(900) != Prose(Dice(5)).text(900)


def test_no_slot_is_left_open() -> None:
    prose = Prose(Dice(2))
    text = " ".join([prose.text(20_000), *(prose.question() for _ in range(300))])

    assert not {"{", "}", "%"} & set(text)
