"""An entry's two lines: every field can be shown alone, and what is not shown is not there."""

import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import canonical
from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import IntegrityError, Malformed
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore
from archive.records.checkpoint.leaves import lines_of
from archive.records.ledger import wire
from archive.records.ledger.streams import GENESIS, Entry, Ledger
from archive.timespan import format_instant
from tests.support.leaves import T0

KEY = "ledger/request/REQ-1/00000001.json"
STATE: JsonObject = {
    "case": "LP/B/1/XI/2026",
    "requester": {"name": "Andi", "contact": "0812-3456"},
    "cameras": ["cam-1", "cam-2"],
    "comments": [],
    "decision": None,
    "urgent": False,
}

_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_STATES = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), _VALUES, max_size=5)


def encoded(state: JsonObject = STATE, **changed: Any) -> bytes:
    given: dict[str, Any] = {
        "kind": "request", "entity": "REQ-1", "version": 1, "entry_id": "ab" * 16, "at": T0,
        "actor": "user:andi", "action": "request.filed", "reason": "penyidikan", "prev": GENESIS,
    }  # fmt: skip
    return wire.encode(**given | changed, state=state)


@settings(max_examples=150, deadline=None)
@given(state=_STATES)
def test_every_state_reads_back_as_it_was_written(state: JsonObject) -> None:
    assert wire.decode(KEY, encoded(state)).state == state


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_not_opened_is_not_in_the_bytes(data: st.DataObject) -> None:
    values = {name: f"secret-{number}-{name}" for number, name in enumerate("abcdef")}
    state: JsonObject = {"a": values["a"], "b": {"x": values["b"], "y": values["c"]}, "d": [*"pq"]}
    state["d"] = [values["d"], values["e"]]
    state["f"] = [{"deep": values["f"]}]
    names = {"a": "state.a", "b": "state.b.x", "c": "state.b.y", "d": "state.d[0]", "e": "state.d[1]"}
    names["f"] = "state.f"
    chosen = data.draw(st.sets(st.sampled_from(sorted(names))))
    whole = encoded(state)
    opened = wire.openings(whole, [names[one] for one in chosen] + ["state.unknown"])
    shown = wire.line_of(whole) + b"\n" + canonical.encode(opened)
    assert {one for one in values if values[one].encode() in shown} == chosen
    commits = canonical.decode(wire.line_of(whole))["commits"]
    for name, (salt, value) in opened["opens"].items():
        assert wire.commitment(name, salt, value) == commits[name]


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10**6), other=st.binary(min_size=1, max_size=1))
def test_no_byte_of_an_entry_can_be_another(place: int, other: bytes) -> None:
    """A change of the second line is found by the first, one of the first by the digest."""
    whole = encoded()
    at = place % len(whole)
    altered = whole[:at] + other + whole[at + 1 :]
    if altered == whole:
        return
    try:
        entry = wire.decode(KEY, altered)
    except IntegrityError:
        return
    assert entry.digest != wire.digest_of(whole)
    assert altered.split(b"\n")[1:] == whole.split(b"\n")[1:]


def _opened(change: str) -> bytes:
    head, opened = (canonical.decode(line) for line in encoded().split(b"\n")[:2])
    opens = opened["opens"]
    match change:
        case "value":
            opens["state.case"][1] = "LP/B/2/XI/2026"
        case "salt":
            opens["state.case"][0] = "0" * 64
        case "short salt":
            head["commits"]["state.case"] = wire.commitment("state.case", "", opens["state.case"][1])
            opens["state.case"][0] = ""
        case "names exchanged":
            opens["actor"], opens["action"] = opens["action"], opens["actor"]
        case "one missing":
            del opens["state.case"]
        case "one more":
            opens["state.hidden"] = ["0" * 64, "x"]
        case "one neither opened nor committed":
            del opens["reason"], head["commits"]["reason"]
        case "a list with a hole":
            del opens["state.cameras[0]"], head["commits"]["state.cameras[0]"]
        case "a member beside the whole":
            opens["state.case.x"] = ["0" * 64, 1]
            head["commits"]["state.case.x"] = wire.commitment("state.case.x", "0" * 64, 1)
        case "another version":
            head["v"] = opened["v"] = 3
        case "a field of another kind":
            head["state"] = {}
    return canonical.encode(head) + b"\n" + canonical.encode(opened) + b"\n"


CHANGES = [
    "value", "salt", "short salt", "names exchanged", "one missing", "one more",
    "one neither opened nor committed", "a list with a hole", "a member beside the whole",
    "another version", "a field of another kind",
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_an_opening_that_does_not_fit_is_refused(change: str) -> None:
    with pytest.raises(IntegrityError) as told:
        wire.decode(KEY, _opened(change))
    assert told.value.code == "bad_entry"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b",", b", ", 1),
        lambda data: data.split(b"\n")[0] + b"\n",
        lambda data: b"\n" + data,
    ],
)
def test_an_entry_in_another_form_is_refused(change: Any) -> None:
    with pytest.raises(IntegrityError):
        wire.decode(KEY, change(encoded()))


@pytest.mark.parametrize("name", ["", "a.b", "a[0]", "é", "a b"])
def test_a_state_has_plain_names(name: str) -> None:
    with pytest.raises(Malformed) as told:
        encoded({name: 1})
    assert told.value.code == "bad_entry"


def test_two_entries_of_one_content_share_no_commitment() -> None:
    first, second = (canonical.decode(wire.line_of(encoded()))["commits"] for _ in range(2))
    assert set(first) == set(second)
    assert not set(first.values()) & set(second.values())
    assert len(set(first.values())) == len(first)


def test_common_tools_check_an_opening() -> None:
    whole = encoded()
    salt, value = wire.openings(whole, ["state.case"])["opens"]["state.case"]
    told = subprocess.run(
        ["bash", "-c", """printf '%s' '["state.case","'"$1"'","'"$2"'"]' | sha256sum""", "-", salt, value],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split()[0] == canonical.decode(wire.line_of(whole))["commits"]["state.case"]


# Streams of both versions -----------------------------------------------------------------------------


def old_entry(store: ObjectStore, version: int, prev: str, state: JsonObject) -> bytes:
    """Put an entry of version 1, as earlier releases wrote it."""
    body = {
        "v": 1, "kind": "request", "id": "REQ-1", "version": version, "entry_id": f"{version:032x}",
        "at": format_instant(T0 + version), "actor": "user:andi", "action": "request.filed", "reason": "",
        "prev": prev, "state": state,
    }  # fmt: skip
    data = canonical.encode(body)
    store.put(f"ledger/request/REQ-1/{version:08d}.json", Content.of_bytes(data))
    return data


def test_a_stream_goes_on_from_old_entries_with_new_ones(tmp_path: Path) -> None:
    clock = ManualClock(T0 + 10)
    store = FilesystemStore(tmp_path, clock)
    first = old_entry(store, 1, GENESIS, STATE)
    second = old_entry(store, 2, sha256(first).hexdigest(), STATE | {"urgent": True})
    ledger = Ledger(store, clock)
    made = [_more(ledger, 2), _more(ledger, 3)]
    history = list(ledger.history("request", "REQ-1"))
    assert history[2:] == made
    assert [one.state["urgent"] for one in history] == [False, True, 2, 3]
    assert made[0].prev == sha256(second).hexdigest() == history[1].digest
    line = lines_of(store.get(made[0].key))[0]
    assert made[1].prev == made[0].digest == sha256(line).hexdigest()
    assert ledger.head("request", "REQ-1") == made[1]


def _more(ledger: Ledger, expected: int) -> Entry:
    state = STATE | {"urgent": expected}
    return ledger.append("request", "REQ-1", state, expected=expected, actor="os:t", action="x")


def test_salts_may_be_given(tmp_path: Path) -> None:
    clock = ManualClock(T0)
    store = FilesystemStore(tmp_path, clock)
    entry = _more(Ledger(store, clock, salts=lambda: "5" * 64), 0)
    assert store.get(entry.key).count(b"5" * 64) == 3 + len(wire.flatten(entry.state))
