"""English sentences by a small grammar: varied enough that compression sees text, quick enough for millions of them."""

import re
import string
from base64 import b64encode

from tollhouse.demo import words
from tollhouse.demo.dice import Dice

# {n} noun, {a} adjective, {c} and {b} with their article, {v} verb, {d} adverb, {w} person, {p} place, {i} number,
# {m} amount, {k} ticket, {t} date, {f} file, {g} function, {h} hash, {x} article, {y} token, {e} e-mail, {o} host
STATEMENTS = """
The {a} {n} does not {v} the {n} {n} that {w} sent from {p} on {t}.
We {d} {v} every {a} {n} before the {n} reaches {i} {n}s.
{w} asked whether the {n} for {p} should {v} {b} {n} or {b} {n}.
According to {k}, the {n} {n} grew by {m} between {t} and {t}.
Please {v} the {a} {n}, then {v} the {n} and {d} {v} what is left of the {n}.
In {p} the {n} was {a}, yet the {n} {n} remained {a} and {a}.
{B} {n} would {v} about {i} {n}s and {v} the {a} {n} {d}.
Neither the {n} nor the {a} {n} can {v} {k} without {c} of {m}.
The {n} team in {p} will {v} its {a} {n} once {w} has signed the {n}.
Since {t}, {i} {n}s have shown {b} {n}, mostly in the {n} {n}.
If the {n} is {a}, {v} the {n}; otherwise {v} {b} {n} and tell {w}.
This {n} costs {m} {c}, which is {a} for {b} {n} in {p}.
{w} and {w} {d} disagree about the {a} {n} in {k}.
First {v} the {n} {n}, second {v} the {a} {n}, third {v} {i} {n}s.
Our {n} must {d} {v} the {a} {n} or the {n} will {v} {m}.
It is {a} that the {n} in {p} did {d} {v} the {a} {n} {n}.
To {v} the {a} {n}, {v} its {n} and compare it with the {n} of {t}.
In {f} the {a} {n} calls {g}, which returns {i} {n}s for {h}.
Revision {h} of {f} lets the {n} {v} {g} {d}.
The trace {h} ends in {g} with {b} {n}; {w} can {v} it.
Order {x} of {w} was paid with {m} on {t}; {c} for {x} is {a}.
Customer {e} wants {x}, not {x}, and {c} for {m}.
Rows {i}, {i} and {i} differ: {h} and {h} should {v} {x}.
Host {o} sent {i} {n}s to {o} and {i} to {e}, {k}, {h}.
Parts {x}, {x} and {x} replace {x}; ask {e}.
Key {y} of {w} expired, the next one is {y}.
{g} got {h} at {f}, {g} got {y}, {k} has the {n}.
The {n} of {k} is {y}, the one of {k} is {h}.
{e} paid {m} and {m}, {w} paid {m}: {k}, {k}.
{f} and {f} {v} {x} {d}; see {h}.
Ticket {k} of {e}: {n} {i} at {o} was {a}, {y} was not.
{t} {o} {g} failed: {h} {y} {i} ms.
{k} {x} {e} {m} {h} is {a}, {k} {x} {e} {m} {h} is not.
Between {t} and {t}, {w} {d} moved {m} from {x} to {x}.
The {a} {n} mentions {i} {n}s, {b} {n} and one {n} worth {m}.
""".strip().splitlines()
QUESTIONS = """
Can you {v} the {a} {n} in {k} and {v} the {n} for {w}?
Why does the {n} {n} {v} {b} {n} after {t}?
How would you {v} {i} {a} {n}s without {c}?
Which {n} should {p} {v} if the {a} {n} stays above {m}?
Summarise the {a} {n} that {w} wrote about the {n} {n} in {p}.
Write {b} {n} to {v} the {n}, and {d} {v} {k}.
Compare the {n} of {p} with the {a} {n} of {t}.
Why does {g} in {f} fail with {h} when the {n} is {a}?
Was {x} or {x} sent to {e}, and does {y} {v} the {n}?
Draft {c} to {w} about the {a} {n} of {m}.
""".strip().splitlines()
_SLOT = re.compile(r"\{(\w)\}")
_MONTHS = ("January", "March", "April", "May", "June", "July", "August", "September", "October", "November")
_POOL_SIZE = 20_000

Pool = tuple[tuple[str, ...], int]
Pattern = tuple[str, tuple[Pool, ...]]


class Prose:
    """Draws text from ``rng``; two with the same seed say the same."""

    def __init__(self, rng: Dice) -> None:
        self._random = rng.random
        pools = _pools(rng)
        self._statements = [_pattern(text, pools) for text in STATEMENTS]
        self._questions = [_pattern(text, pools) for text in QUESTIONS]
        self._words = pools["n"]

    def statement(self) -> str:
        """One sentence of about 80 characters."""
        return self._fill(self._statements)

    def question(self) -> str:
        """One question or request of about 70 characters."""
        return self._fill(self._questions)

    def noun(self) -> str:
        """One noun."""
        pool, size = self._words
        return pool[int(self._random() * size)]

    def text(self, characters: int) -> str:
        """At least one sentence, and as many as come nearest above ``characters``."""
        sentences = [self._fill(self._statements)]
        length = len(sentences[0])
        while length < characters:
            sentence = self._fill(self._statements)
            sentences.append(sentence)
            length += len(sentence) + 1
        return " ".join(sentences)

    def _fill(self, patterns: list[Pattern]) -> str:
        draw = self._random
        text, pools = patterns[int(draw() * len(patterns))]
        return text % tuple([pool[int(draw() * size)] for pool, size in pools])


def _pattern(text: str, pools: dict[str, Pool]) -> Pattern:
    return _SLOT.sub("%s", text), tuple(pools[name] for name in _SLOT.findall(text))


def _pools(rng: Dice) -> dict[str, Pool]:
    pools = _word_pools() | _name_pools(rng)
    return {name: (pool, len(pool)) for name, pool in pools.items()}


def _word_pools() -> dict[str, tuple[str, ...]]:
    return {
        "n": words.NOUNS,
        "a": words.ADJECTIVES,
        "b": tuple(_with_article(word) for word in words.ADJECTIVES),
        "B": tuple(_with_article(word).capitalize() for word in words.ADJECTIVES),
        "c": tuple(_with_article(word) for word in words.NOUNS),
        "v": words.VERBS,
        "d": words.ADVERBS,
        "p": words.PLACES,
    }


def _name_pools(rng: Dice) -> dict[str, tuple[str, ...]]:
    drawn = range(_POOL_SIZE)
    noun, verb = lambda: rng.choice(words.NOUNS), lambda: rng.choice(words.VERBS)
    return {
        "w": tuple(f"{rng.choice(words.GIVEN_NAMES)} {rng.choice(words.FAMILY_NAMES)}" for _ in drawn),
        "i": tuple(str(rng.randrange(2, 10_000)) for _ in drawn),
        "m": tuple(f"{rng.randrange(20, 900_000) / 10:,.2f} {rng.choice(('EUR', 'USD'))}" for _ in drawn),
        "k": tuple(f"{rng.choice(('INC', 'PAY', 'SRCH', 'LEG', 'OPS'))}-{rng.randrange(99_999)}" for _ in drawn),
        "t": tuple(f"{rng.randrange(1, 29)} {rng.choice(_MONTHS)}" for _ in drawn),
        "f": tuple(f"src/{noun()}/{noun()}_{noun()}.py:{rng.randrange(1, 900)}" for _ in drawn),
        "g": tuple(f"{verb()}_{noun()}()" for _ in drawn),
        "h": tuple(f"{rng.getrandbits(64):016x}" for _ in drawn),
        "x": tuple(f"{_letters(rng, 2)}-{rng.randrange(9_999):04d}-{_letters(rng, 3)}" for _ in drawn),
        "y": tuple(b64encode(rng.randbytes(24)).decode() for _ in drawn),
        "e": tuple(f"{noun()}.{rng.choice(words.FAMILY_NAMES).lower()}{rng.randrange(99)}@mail.example" for _ in drawn),
        "o": tuple(f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in drawn),
    }


def _letters(rng: Dice, count: int) -> str:
    return "".join(rng.choices(string.ascii_uppercase, k=count))


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"
