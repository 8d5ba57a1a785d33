"""Every index: a custody report has the lines that a walk over the objects has, whatever people did."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor, Outcome
from archive.records.custody import CustodyWriter
from archive.records.custody_report.items import Item
from archive.records.custody_report.lines import Made, jsonl
from archive.records.custody_report.record import Asked, CustodyRecord, Line
from archive.records.custody_report.walk import CustodyWalk
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from tests.support.handovers import BUDI, CITRA, DEWI, Desk, sealed_desk
from tests.support.indexes import IndexUnderTest
from tests.support.leaves import T0

MADE = Made(by="user:ani", at=T0 + DAY, organization="Kota Makassar", time_zone="Asia/Makassar")
CROWD = tuple(f"cam-{number}" for number in range(1, 260))
"""More objects than a record spells out."""
THINGS = ("EVD", "REQ", "HOLD", "cam-1", "cam-2", "\u202e", "", BUDI)
PEOPLE = (BUDI, CITRA, DEWI, "os:root(sudo:ani)", "os:ani", "user:\0", "user:" + "x" * 600)


@dataclass(frozen=True, slots=True)
class Did:
    """One act: ``begin`` and ``length`` are seconds of footage, ``pause`` what passes before it."""

    kind: str
    who: str
    objects: tuple[str, ...]
    begin: int
    length: int
    pause: int
    writer: int


PLAIN = Did("clip", DEWI, (), 0, 10, SECOND, 0)
ACTS = st.builds(
    Did,
    kind=st.sampled_from(("clip", "frame", "playback", "search", "sign_in", "bare", "unreadable", "hold")),
    who=st.sampled_from(PEOPLE),
    objects=st.lists(st.sampled_from(THINGS), max_size=3).map(tuple),
    begin=st.integers(-20, 60),
    length=st.integers(1, 30),
    pause=st.sampled_from((0, 0, 1, SECOND, 20 * MINUTE, HOUR)),
    writer=st.integers(0, 1),
)


def details_of(act: Did) -> dict[str, Any]:
    """What the event states of the footage that the act is about."""

    def at(seconds: int) -> str:
        return format_instant(T0 + seconds * SECOND)

    begin, end = act.begin, act.begin + act.length
    match act.kind:
        case "clip" | "search":
            return {"from": at(begin), "to": at(end)}
        case "frame":
            return {"at": at(end), "frame_at": at(begin)}
        case "playback":  # two parts with a hole between them: what the index narrows to is not enough
            return {"shown": f"{at(begin)}/{at(begin + 1)} {at(end + 5)}/{at(end + 6)}"}
        case "unreadable":
            return {"from": "no time", "to": at(end)}
    return {}


class Office:
    """A desk where people act, with its record in an index and in the objects."""

    def __init__(self, folder: Path, under_test: IndexUnderTest) -> None:
        self.desk: Desk = sealed_desk(folder)
        archive = self.desk.archive
        self.archive, self.index = archive, under_test.index
        self.record = CustodyRecord(archive.stores, archive.ledger, archive.clock, under_test.index)
        self.walk = CustodyWalk(archive.stores, archive.ledger)
        self.writers = [
            CustodyWriter(archive.stores.records, archive.clock, writer=f"api-{one}") for one in range(2)
        ]
        self.names = {
            "EVD": self.desk.evidence_id,
            "REQ": self.desk.request_id,
            "HOLD": self.desk.hold.hold.id,
        }

    def did(self, act: Did) -> None:
        """Store the act."""
        self.archive.clock.advance(act.pause)
        span = Timespan(T0 + act.begin * SECOND, T0 + (act.begin + act.length) * SECOND)
        if act.kind == "hold":
            self.desk.holds.place(
                cameras=["cam-1"],
                span=span,
                case="LP/1",
                owner=BUDI,
                basis="LP/1",
                review_at=self.archive.clock.now() + DAY,
                actor=BUDI,
            )
            return
        objects = tuple(self.names.get(one, one) for one in act.objects)
        self.writers[act.writer].record(
            {"playback": "playback.ended", "sign_in": "sign_in"}.get(act.kind, f"{act.kind}.done"),
            actor=Actor(id=act.who),
            objects=(*objects, *CROWD) if act.kind == "search" else objects,
            outcome=Outcome.REFUSED if act.length == 1 else Outcome.DONE,
            details=details_of(act),
        )

    def questions(self) -> list[Asked]:
        """Questions about every item and person, narrow and wide."""
        now = self.archive.clock.now()
        every = Timespan(T0 - HOUR, now + 1)
        late = Timespan(max(T0, now - 2 * HOUR), now + 1)
        footage = Timespan(T0 + 10 * SECOND, T0 + 15 * SECOND)
        items: list[Item | None] = [
            *map(self.record.item, (*self.names.values(), "cam-1")),
            self.record.item("cam-1", footage=footage),
            Item(text="x", names=frozenset({"\u202e"})),
        ]
        return [
            *(Asked(span=span, item=item) for item in items for span in (every, late)),
            *(Asked(span=every, item=item, person=BUDI) for item in items),
            *(Asked(span=every, person=person) for person in PEOPLE),
            Asked(span=late, person="user:nobody"),
        ]


def paged(record: CustodyRecord, asked: Asked, limit: int) -> list[Line]:
    """Every page of a report."""
    found: list[Line] = []
    cursor: str | None = ""
    while cursor is not None:
        page = record.page(asked, limit=limit, cursor=cursor)
        found += page.lines
        cursor = page.next
    return found


def test_a_report_has_the_lines_of_a_walk_over_the_objects(
    tmp_path: Path, under_test: IndexUnderTest
) -> None:
    office = Office(tmp_path / "archive", under_test)
    office.desk.handovers.give(office.desk.request_id, actor=DEWI)
    # A server takes longer for each question.
    examples, every = (8, 1) if under_test.kind == "sqlite" else (2, 3)

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        derandomize=True,
    )
    @given(st.lists(ACTS, min_size=4, max_size=25), st.integers(1, 4))
    def holds(acts: list[Did], limit: int) -> None:
        for act in acts:
            office.did(act)
        archive = office.archive
        Follower(archive.stores.records, office.index, archive.clock).run()
        for asked in office.questions()[::every]:
            expected = list(office.walk.lines(asked))
            assert list(office.record.lines(asked)) == expected
            report = b"".join(jsonl(asked, office.record.lines(asked), MADE))
            assert report == b"".join(jsonl(asked, expected, MADE))
            for most in {limit, max(1, len(expected) - 1), len(expected), len(expected) + 1}:
                if office.record.exceeds(asked, most):
                    assert len(expected) > most, "what paper could hold is not refused"
        for asked in office.questions()[:: 7 * every]:
            assert paged(office.record, asked, limit) == list(office.walk.lines(asked))

    holds()
    for _ in range(12):
        office.did(replace(PLAIN, objects=("plain",)))
        office.did(replace(PLAIN, kind="playback", objects=("cam-900",), begin=5, length=20))
    archive = office.archive
    Follower(archive.stores.records, office.index, archive.clock).run()
    now = archive.clock.now()
    plain = Asked(span=Timespan(T0, now + 1), item=Item(text="plain", names=frozenset({"plain"})))
    assert len(list(office.walk.lines(plain))) == 12
    assert office.record.exceeds(plain, 11), "it is counted without being read"
    assert not office.record.exceeds(plain, 12)
    assert not office.record.exceeds(replace(plain, span=Timespan(T0, T0 + 1)), 1)
    assert not office.record.exceeds(replace(plain, person="user:nobody"), 1)
    between = Timespan(T0 + 10 * SECOND, T0 + 15 * SECOND)
    camera = Item(text="cam-900", names=frozenset({"cam-900"}), camera="cam-900", footage=between)
    assert list(office.record.lines(replace(plain, item=camera))) == []
    assert not office.record.exceeds(replace(plain, item=camera), 1), "the index cannot know what was played"
    archive.index.close()
