"""What the index finds of each event and entry; nothing secret is in it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import canonical
from archive.clock import ManualClock
from archive.errors import IntegrityError, Unavailable
from archive.integrity.rebuild.known import document_state
from archive.model import custody as events
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.model.hold import Hold
from archive.model.hold import to_state as hold_state
from archive.model.request import Comment, to_state
from archive.objects.filesystem import FilesystemStore
from archive.ports import Record
from archive.records.custody import CustodyWriter, StoredEvent
from archive.records.indexed.entries import record_of_entry
from archive.records.indexed.events import record_of_event, records_of_batch
from archive.records.indexed.line import line_of, line_of_entry, line_of_event
from archive.records.indexed.own_writes import OwnEntries, OwnEvents
from archive.records.indexed.streams import _FIELDS, record_of_stream, shown_state
from archive.records.indexed.terms import MOST, any_of, many, term, terms
from archive.records.ledger.streams import KINDS, Entry, Ledger
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, format_instant
from search.checks import check_records
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.handovers import BUDI, SPAN, a_request
from tests.support.leaves import T0

KEY = "custody/2026/11/24/06/api-1_0000000001.jsonl"
HOLD = "hold-" + "0" * 32


def event(event_type: str = "playback.ended", **changed: Any) -> CustodyEvent:
    facts: dict[str, Any] = {
        "id": "ab" * 16,
        "at": T0,
        "type": event_type,
        "actor": Actor(id="user:citra", address="10.0.0.1", session="s", role="war_room"),
        "objects": ("cam-1", "EVD-2026-AAAAAAAAAA"),
        "purpose": "LP/B/9",
        "outcome": Outcome.DONE,
        "details": {"bytes_sent": 3},
    }
    return CustodyEvent(**(facts | changed))


def entry(kind: str, name: str, state: dict[str, Any], **changed: Any) -> Entry:
    facts: dict[str, Any] = {
        "kind": kind,
        "id": name,
        "version": 1,
        "entry_id": "cd" * 16,
        "at": T0,
        "actor": "os:root(login:ani)",
        "action": f"{kind}.changed",
        "reason": "sebab",
        "prev": "0" * 64,
        "state": state,
        "digest": "ba" * 32,
    }
    return Entry(**(facts | changed))


def test_an_event_is_found_by_what_it_touched_by_whom_and_what_was_done() -> None:
    made = record_of_event(StoredEvent(event(), KEY, 2))
    assert (made.kind, made.id, made.at, made.touches) == ("act", "ab" * 16, T0, None)
    assert made.terms == {
        "item:cam-1",
        "item:EVD-2026-AAAAAAAAAA",
        "person:user:citra",
        "type:playback.ended",
        "outcome:done",
    }
    assert made.body["proof"] == f"{KEY}#2"
    check_records([made])


def test_an_event_touches_all_footage_that_it_states() -> None:
    def span(start: int, end: int) -> str:
        return f"{format_instant(T0 + start * SECOND)}/{format_instant(T0 + end * SECOND)}"

    made = record_of_event(StoredEvent(event(details={"shown": f"{span(5, 9)} {span(30, 31)}"}), KEY, 2))
    assert made.touches == Timespan(T0 + 5 * SECOND, T0 + 31 * SECOND)
    unreadable = record_of_event(StoredEvent(event(details={"from": "then", "to": "later"}), KEY, 2))
    assert unreadable.touches is None


def test_who_tried_an_account_is_found_under_it() -> None:
    tried = event("sign_in", objects=("user:budi",), actor=Actor(id="unauthenticated"))
    assert "account:user:budi" in record_of_event(StoredEvent(tried, KEY, 2)).terms
    read = event("user.read", objects=("user:budi",))
    assert not any(one.startswith("account") for one in record_of_event(StoredEvent(read, KEY, 2)).terms)


@given(
    details=st.dictionaries(
        st.sampled_from(["from", "to", "at", "shown", "size"]), st.text() | st.integers(0, 9)
    ),
    objects=st.lists(st.text(max_size=700), max_size=5),
    texts=st.tuples(st.text(max_size=700), st.text(max_size=700)),
)
def test_a_line_comes_back_from_its_record_whatever_it_holds(
    details: dict[str, Any], objects: list[str], texts: tuple[str, str]
) -> None:
    stored = StoredEvent(
        event(texts[0], details=details, objects=tuple(objects), actor=Actor(id=texts[1])), KEY, 3
    )
    made = record_of_event(stored)
    (row,) = check_records([made])
    assert json.loads(row.body) == made.body
    assert line_of(made) == line_of_event(stored)


def test_an_event_of_another_shape_is_refused_and_stops_nothing_else() -> None:
    header = {"v": 1, "writer": "api-1", "batch": 1, "prev": "0" * 64, "at": format_instant(T0), "lines": 1}
    whole = events.to_json(event())
    assert len(records_of_batch(KEY, _object(header, whole))) == 1
    for changed in (
        {"id": 5}, {"type": None}, {"objects": ["a", 5]}, {"objects": "abc"}, {"details": "x"},
        {"purpose": 1}, {"actor": {"id": 1, "address": "", "session": ""}},
        {"actor": {"id": "x", "address": "", "session": "", "role": 3}},
    ):  # fmt: skip
        with pytest.raises(IntegrityError) as caught:
            records_of_batch(KEY, _object(header, {**whole, **changed}))
        assert caught.value.code == "custody_form"


def _object(*lines: dict[str, Any]) -> bytes:
    return b"".join(canonical.encode(line) + b"\n" for line in lines)


def test_of_two_acts_with_one_id_the_one_filed_first_counts(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    first = record_of_event(StoredEvent(event(), KEY, 2))
    copied = record_of_event(StoredEvent(event("sign_out", objects=()), KEY.replace("/06/", "/07/"), 2))
    archive.index.put_records([first])
    archive.index.put_records([copied])
    assert archive.index.record("act", "ab" * 16) == first


def test_an_entry_is_an_act_of_its_author() -> None:
    made = record_of_entry(entry("hold", HOLD, {}))
    assert made.terms == {
        f"stream:hold/{HOLD}", "person:os:ani", "type:hold.changed", "outcome:done",
    }  # fmt: skip
    assert made.body["details"] == {"version": 1, "sha256": "ba" * 32, "reason": "sebab"}
    assert line_of(made) == line_of_entry(entry("hold", HOLD, {}))


def test_a_hold_is_found_by_its_cameras_status_owner_and_who_placed_it() -> None:
    hold = Hold(
        id=HOLD, cameras=("cam-1", "cam-2"), span=SPAN, case="LP/B/9", owner="user:budi", basis="surat",
        review_at=T0, placed_by="user:citra", placed_at=T0,
    )  # fmt: skip
    newest = entry("hold", HOLD, hold_state(hold), version=3, at=T0 + HOUR)
    made = record_of_stream(entry("hold", HOLD, {}), newest)
    assert (made.kind, made.id, made.version, made.at, made.touches) == ("hold", HOLD, 3, T0, SPAN)
    people = {"person:user:budi", "person:user:citra"}
    assert made.terms == {"status:active", "camera:cam-1", "camera:cam-2", *people}
    assert made.body["state"]["case"] == "LP/B/9"
    assert made.body["changed_at"] == format_instant(T0 + HOUR)


def test_a_request_is_found_without_its_papers_and_numbers() -> None:
    asked = replace(
        a_request("REQ-2026-AAAAAAAAAA", HOLD), comments=(Comment(by=BUDI, at=T0, text="rahasia"),)
    )
    first = entry("request", asked.id, to_state(asked))
    made = record_of_stream(first, first)
    assert made.terms == {
        "status:submitted",
        "camera:cam-1",
        "agency:polrestabes",
        "agency:Polrestabes Makassar",
        f"person:{BUDI}",
    }
    text = json.dumps(made.body)
    for secret in ("84010123", "0811", "rahasia", asked.letter.number, asked.letter.sha256):
        assert secret not in text
    assert made.body["state"]["requester"]["name"] == "Budi Santoso"
    assert made.body["state"]["letter_complete"] == 1


def test_no_secret_of_a_camera_a_recorder_or_a_token_enters(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    archive.registry.add(camera_form(), actor="os:ani")
    archive.register_recorder()
    archive.ledger.append(
        "token", "tv", {"revoked": 0, "actions": ["a"], "sha256": "9" * 64}, expected=0, actor="os:ani",
        action="token.created",
    )  # fmt: skip
    for kind, name in (("camera", "cam-1"), ("recorder", "rec-1"), ("token", "tv")):
        head = archive.ledger.head(kind, name)
        made = record_of_stream(head, head)
        text = json.dumps([made.body, sorted(made.terms)])
        text += json.dumps(document_state(kind, head.state))
        for secret in ("sealed_source", "s3cret", "public_key", "9" * 64):
            assert secret not in text, (kind, secret)
        check_records([made])


def test_every_kind_says_what_the_index_keeps_of_it() -> None:
    assert set(_FIELDS) == set(KINDS)
    for kind in KINDS:
        secret = {"password": "x", "sealed_source": "y", "claim": {}}
        assert shown_state(kind, secret) == {}
        if kind not in {"camera", "request"}:  # these keep what they name
            assert document_state(kind, secret) == {}


@pytest.mark.parametrize(
    "state", [{}, {"cameras": 5, "from": 1, "to": None}, {"requester": [], "agency": {}, "status": 4}]
)
def test_a_state_of_another_shape_is_indexed_all_the_same(state: dict[str, Any]) -> None:
    first = entry("request", "REQ-2026-AAAAAAAAAA", state)
    made = record_of_stream(first, first)
    assert (made.terms, made.touches) == (frozenset(), None)


def test_a_word_that_no_index_keeps_is_hashed_alike_in_records_and_queries() -> None:
    assert term("item", "cam-1") == "item:cam-1"
    for value in ("", "\0", "x" * 600, "a\nb"):
        word = term("item", value)
        assert word.startswith("item#")
        assert word in any_of("item", [value])
        assert word in terms("item", [value])
    assert term("item", "#") == "item:#"
    assert terms("item", map(str, range(MOST + 1))) == {many("item")}
    assert many("item") in any_of("item", ["3"])


class Down:
    """An index that does not answer."""

    def put_records(self, _records: object) -> None:
        raise Unavailable("the index is away")


def small(tmp_path: Path) -> SmallArchive:
    archive = small_archive(tmp_path)
    store = archive.stores.records
    own = OwnEntries(lambda: archive.index, lambda: archive.ledger)
    archive.ledger = Ledger(store, archive.clock, on_append=own.appended)
    return archive


def test_an_entry_is_found_when_its_append_returns(tmp_path: Path) -> None:
    archive = small(tmp_path)
    first = archive.ledger.append("user", "ani", {"name": "A"}, expected=0, actor="os:a", action="user.added")
    archive.clock.advance(MINUTE)
    archive.ledger.append("user", "ani", {"name": "B"}, expected=1, actor="os:a", action="user.changed")
    assert archive.index.record("act", first.entry_id) == record_of_entry(first)
    found = archive.index.record("user", "ani")
    assert found is not None
    assert (found.version, found.at, found.body["state"]) == (2, T0, {"name": "B"})


def test_an_entry_stands_though_the_index_does_not_answer(tmp_path: Path) -> None:
    store, clock = FilesystemStore(tmp_path, ManualClock(T0)), ManualClock(T0)
    own = OwnEntries(Down, lambda: ledger)  # type: ignore[arg-type]
    ledger = Ledger(store, clock, on_append=own.appended)
    ledger.append("user", "ani", {}, expected=0, actor="os:a", action="user.added")
    assert ledger.head("user", "ani").version == 1


def test_own_events_are_found_after_they_settled(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    own = OwnEvents(lambda: archive.index)
    writer = CustodyWriter(archive.stores.records, archive.clock, writer="api-1", on_stored=own.stored)
    made = [writer.record("clip.describe", actor=Actor(id="user:a"), objects=("cam-1",)) for _ in range(5)]
    own.settle()
    assert all(archive.index.record("act", one.id) is not None for one in made)
    own.close()
    late = writer.record("clip.describe", actor=Actor(id="user:a"))  # the site is closing
    assert archive.index.record("act", late.id) is None
    archive.index.close()


def test_events_stored_one_after_another_are_one_write_to_the_index(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    writes: list[int] = []

    class Noting:
        """The index, which notes how many records each write has."""

        def put_records(self, records: Sequence[Record]) -> None:
            writes.append(len(records))
            archive.index.put_records(records)

    own = OwnEvents(Noting, linger_s=60)  # type: ignore[arg-type]
    writer = CustodyWriter(archive.stores.records, archive.clock, writer="api-1", on_stored=own.stored)
    made = [writer.record("clip.describe", actor=Actor(id="user:a")) for _ in range(3)]
    own.settle()  # whoever asks does not wait for the rest of the minute
    assert all(archive.index.record("act", one.id) is not None for one in made)
    assert writes == [3]
    last = writer.record("clip.describe", actor=Actor(id="user:a"))
    own.close()
    assert archive.index.record("act", last.id) is not None
    archive.index.close()


def test_events_are_stored_though_the_index_does_not_answer(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    own = OwnEvents(Down)  # type: ignore[arg-type]
    writer = CustodyWriter(archive.stores.records, archive.clock, writer="api-1", on_stored=own.stored)
    for _ in range(3):
        writer.record("clip.describe", actor=Actor(id="user:a"))
    own.close()
    assert len(list(archive.stores.records.list("custody/"))) == 3
