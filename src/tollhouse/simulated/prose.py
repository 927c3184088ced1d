"""Readable English for answers: one long text made at the start, of which every answer takes a stretch."""

import unicodedata
from itertools import accumulate

from tollhouse.simulated.chance import mixed

_SENTENCES = 4_000
_SUBJECTS = (
    """
the nightly build|our second cache|the invoice from Zürich|a slow query|the café's till|this connector
the draft contract|every third request|the old scheduler|a careful reviewer|the team in Malmö|the naïve estimate
the mirror in Kraków|one of the two workers|the quarterly table|a shared lock|the queue behind it|the ledger
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_VERBS = (
    """
waits for|explains|repeats|depends on|agrees with|was measured against|arrives before|replaces|belongs to|follows
is cheaper than|does not change|points to|was written for|outlives|needs
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_OBJECTS = (
    """
the first byte|what was asked|a budget of 40 €|the list in São Paulo|three small steps|its own summary
the longest line|an index nobody reads|the last release|a second opinion|the plain version|twelve rows
the answer of yesterday|two 東京 offices|the rule on page nine|half of the traffic
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_ENDINGS = """
|and that is enough|which the log shows|as far as the numbers go|so nothing is lost|once the cache is warm
until somebody asks again|although it took a while|because the order is fixed|when the day is over|without a warning
""".replace("\n", "|").split("|")[1:-1]


class Prose:
    """Two with the same ``seed`` say the same. Words keep the space after them, so that joining them gives the text."""

    def __init__(self, seed: int) -> None:
        sentences = [_sentence(mixed(seed, number)).split(" ") for number in range(_SENTENCES)]
        self._words = [f"{word} " for sentence in sentences for word in sentence]
        self._starts = [0, *accumulate(map(len, sentences))]
        self._plain = _ascii("".join(self._words))

    def sentences(self, chance: int, count: int) -> list[str]:
        """The words of ``count`` whole sentences; the last word has no space after it."""
        first = chance % (_SENTENCES - count)
        words = self._words[self._starts[first] : self._starts[first + count]]
        words[-1] = words[-1].rstrip()
        return words

    def words(self, chance: int, count: int) -> list[str]:
        """Exactly ``count`` words."""
        first = self._starts[chance % _SENTENCES]
        words = self._words[first : first + count]
        while len(words) < count:
            words += self._words[: count - len(words)]
        return words

    def characters(self, chance: int, count: int) -> str:
        """Exactly ``count`` ASCII characters, so as many bytes."""
        first = self._plain.find(". ", chance % (len(self._plain) // 2)) + 2
        text = self._plain[first : first + count]
        while len(text) < count:
            text += self._plain[: count - len(text)]
        return text


def _sentence(chance: int) -> str:
    chosen: list[str] = []
    for pool in (_SUBJECTS, _VERBS, _OBJECTS, _ENDINGS):
        chance, place = divmod(chance, len(pool))
        chosen.append(pool[place])
    text = " ".join(part for part in chosen if part)
    return f"{text[0].upper()}{text[1:]}."


def _ascii(text: str) -> str:
    spelled = text.replace("€", "EUR").replace("東京", "Tokyo")
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
