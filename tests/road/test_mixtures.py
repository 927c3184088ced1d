"""Whatever a log holds, every record is counted once on its way to silver."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from road.calls import admit, encoded, line, outcome
from road.roads import AS_OF, make_road

from tollhouse.spool.records import Event, SpoolRecord

NOON = "2026-03-01T12:00:00.000000Z"


@dataclass(frozen=True)
class Sent:
    """A call of ``number`` as logs may tell it: what kind of record, or what is wrong with it."""

    kind: str
    number: int


OWN = ("admit", "outcome", "event", "timeless")
FOREIGN = ("call", "torn", "text", "seven", "timeless", "blank", "other")


def _sent(kinds: tuple[str, ...]) -> st.SearchStrategy[list[Sent]]:
    return st.lists(st.builds(Sent, st.sampled_from(kinds), st.integers(1, 12)), min_size=20, max_size=60)


def _own(sent: Sent) -> SpoolRecord | bytes:
    if sent.kind == "admit":
        return admit(sent.number)
    if sent.kind == "event":
        return Event(recorded_at=NOON, event_id=f"e-{sent.number}", event_type="audit", event_time=NOON)
    if sent.kind == "timeless":
        return encoded(outcome(sent.number + 100), (f'"event_time":"{NOON}",', ""))
    return outcome(sent.number)


def _foreign(sent: Sent) -> bytes:
    key = f"call-{sent.number}"
    written = {
        "torn": line(key)[:60] + b"\n",
        "text": b"INFO call\n",
        "seven": line(f"{key}-seven", prompt_tokens="seven"),
        "timeless": line(f"{key}-timeless", startTime=None),
        "blank": b"  \n",
        "other": json.dumps({"number": sent.number}).encode() + b"\n",
    }
    return written.get(sent.kind, line(key))


def _calls(sent: list[Sent], *kinds: str) -> int:
    return len({one.number for one in sent if one.kind in kinds})


def _count(sent: list[Sent], *kinds: str) -> int:
    return sum(one.kind in kinds for one in sent)


# An example is a lake: few of them, each with many records, and none is shrunk.
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(st.lists(_sent(OWN), min_size=1, max_size=2), _sent(FOREIGN))
def test_records_in_are_invocations_pairs_duplicates_rejects_and_ignored(
    own: list[list[Sent]], foreign: list[Sent]
) -> None:
    with TemporaryDirectory() as folder:
        road = make_road(Path(folder))
        for number, part in enumerate(own):
            road.append(*map(_own, part), moment=AS_OF + timedelta(minutes=number))
        road.drop("a.jsonl", b"".join(map(_foreign, foreign)))
        road.run()
        told = [one for part in own for one in part]
        totals = road.totals()
        calls = _calls(told, "admit", "outcome") + _calls(foreign, "call")
        assert totals["bronze_records"] == len(told) + _count(foreign, "call", "seven", "timeless")
        assert totals["bronze_rejected"] == _count(foreign, "torn", "text", "other")
        assert totals["invocations"] == calls
        assert totals["ignored_records"] == _count(told, "event")
        assert totals["silver_rejected"] >= _calls(told, "timeless") + _count(foreign, "seven", "timeless")
        spoken_for = totals["paired_records"] + totals["duplicate_records"] + totals["silver_rejected"]
        assert spoken_for == totals["bronze_records"] - calls - totals["ignored_records"]
        road.assert_sound()
