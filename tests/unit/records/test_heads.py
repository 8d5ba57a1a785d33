"""The heads of a kind are the newest entries, even if a read skips streams that have ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.cases.requests.transitions import ENDS
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model import evidence, hold
from archive.model.request import RequestStatus
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectVersion
from archive.records.ledger import heads as heads_module
from archive.records.ledger.heads import LenientHeads, StrictHeads
from archive.records.ledger.streams import Ledger
from tests.support.leaves import T0
from tests.support.workers import quick_folder

KIND = "hold"
ENDED = frozenset({"ended"})


class Noting(FilesystemStore):
    """A store that remembers its listings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ManualClock(T0))
        self.listed: list[str] = []

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The same."""
        self.listed.append(prefix)
        return super().list(prefix, start_after=start_after)


class Streams:
    """Streams that grow by one entry at a time; a stream with the state ``ended`` no longer grows."""

    def __init__(self, store: FilesystemStore, kind: str = KIND) -> None:
        self.kind = kind
        self.ledger = Ledger(store, ManualClock(T0))
        self.versions: dict[str, int] = {}

    def grow(self, entity: str, *, ended: bool = False) -> None:
        version = self.versions.get(entity, 0)
        self.ledger.append(
            self.kind,
            entity,
            {"status": "ended" if ended else "open"},
            expected=version,
            actor="os:t",
            action="hold.moved",
        )
        self.versions[entity] = version + 1


def readable(streams: Streams, store: FilesystemStore) -> LenientHeads[str]:
    return LenientHeads(streams.ledger, store, KIND, lambda entry: str(entry.state["status"]), ends=ENDED)


@pytest.fixture
def store(tmp_path: Path) -> Noting:
    return Noting(tmp_path)


def test_streams_at_their_end_are_not_listed_again(store: Noting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    streams = Streams(store)
    for number in range(5):
        for _ in range(3):
            streams.grow(f"old-{number}")
        streams.grow(f"old-{number}", ended=True)
    streams.grow("open")
    heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
    assert heads.refresh().keys() == streams.versions.keys()
    streams.grow("open")
    streams.grow("new")
    store.listed.clear()
    seen = {entity: entry.version for entity, entry in heads.refresh().items()}
    assert seen == streams.versions
    assert store.listed == ["ledger/hold/new/", "ledger/hold/open/"]
    store.listed.clear()
    wanted = heads.prefixes(lambda entry: entry.id == "old-3")
    assert wanted == ["ledger/hold/new/", "ledger/hold/old-3/", "ledger/hold/open/"]
    assert store.listed == [], "names of streams alone were asked for"


def test_those_who_protect_leave_the_same_out(store: Noting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    streams = Streams(store)
    for name in ("old", "open"):
        for _ in range(3):
            streams.grow(name)
    streams.grow("old", ended=True)
    reading = readable(streams, store)
    reading.refresh()
    streams.grow("open")
    store.listed.clear()
    known = reading.refresh().known
    assert {name: one.entry.version for name, one in known.items()} == {"old": 4, "open": 4}
    assert store.listed == ["ledger/hold/open/"]
    # Restarted with the kept state: one full read, then the same.
    kept = {name: one.entry for name, one in known.items()}
    again = readable(streams, store)
    again.remember(kept)
    store.listed.clear()
    again.refresh()
    again.refresh()
    assert store.listed == ["ledger/hold/", "ledger/hold/open/"]


def test_a_name_that_no_stream_has_is_met_as_by_those_who_list_everything(
    store: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 keeps objects of any name; a hold placed afterwards is found all the same."""
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    streams = Streams(store)
    for _ in range(3):
        streams.grow("old")
    streams.grow("old", ended=True)
    heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
    heads.refresh()
    names = store.common_prefixes
    monkeypatch.setattr(store, "common_prefixes", lambda folder: iter(["ledger/hold/a b/", *names(folder)]))
    streams.grow("new")
    store.listed.clear()
    assert heads.refresh().keys() == {"old", "new"}
    assert store.listed == ["ledger/hold/"]


def test_a_look_that_failed_is_no_look(store: Noting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    streams = Streams(store)
    for _ in range(3):
        streams.grow("old", ended=True)
    kept = {"old": streams.ledger.head(KIND, "old")}
    reading = readable(streams, store)
    reading.remember(kept)
    with monkeypatch.context() as away:
        away.setattr(store, "list", lambda prefix: (_ for _ in ()).throw(Unavailable("away")))
        with pytest.raises(Unavailable):
            reading.refresh()
    store.listed.clear()
    reading.refresh()
    assert store.listed == ["ledger/hold/"], "the first that comes through is whole"


def test_where_most_is_open_one_listing_is_less_work(store: Noting) -> None:
    streams = Streams(store)
    for number in range(4):
        streams.grow(f"s-{number}", ended=number == 0)
    heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
    heads.refresh()
    store.listed.clear()
    heads.refresh()
    assert store.listed == ["ledger/hold/"]


def test_what_was_called_an_end_and_was_none_is_seen_in_time(
    store: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    monkeypatch.setattr(heads_module, "_WHOLE_EVERY", 4)
    streams = Streams(store)
    for _ in range(3):
        streams.grow("a", ended=True)
    heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
    heads.refresh()
    streams.grow("a")
    seen = [heads.refresh()["a"].version for _ in range(4)]
    assert seen == [3, 3, 3, 4]
    streams.grow("a")
    assert heads.refresh()["a"].version == 5, "it is at its end no more"


acts = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["grow", "end", "look"])), max_size=40)


@given(acts)
@settings(max_examples=60, deadline=None)
def test_any_number_of_looks_finds_the_newest_entries(done: list[tuple[str, str]]) -> None:
    with quick_folder("heads") as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(heads_module, "_WORTH", 0)
        store = FilesystemStore(Path(folder), ManualClock(T0))
        streams, ended = Streams(store), set[str]()
        heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
        for entity, act in [*done, ("a", "look")]:
            if act == "look":
                expected = {entry.id: entry.digest for entry in streams.ledger.heads(KIND)}
                assert {one: entry.digest for one, entry in heads.refresh().items()} == expected
            elif entity not in ended:
                streams.grow(entity, ended=act == "end")
                ended |= {entity} if act == "end" else set()


def test_the_ends_are_those_of_the_tables() -> None:
    assert ENDS == {RequestStatus.REJECTED, RequestStatus.CANCELLED, RequestStatus.CLOSED}
    for ended, statuses, expected in (
        (ENDS, RequestStatus, {"rejected", "cancelled", "closed"}),
        (evidence.ENDS, evidence.EvidenceStatus, {"sealed", "seal_failed"}),
        (hold.ENDS, hold.HoldStatus, {"released"}),
    ):
        assert {one.value for one in statuses if one.value in ended} == expected


@pytest.mark.parametrize("state", [{}, {"status": ["ended"]}, {"status": None}])
def test_a_status_that_is_none_is_no_end(
    store: Noting, state: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads_module, "_WORTH", 0)
    streams = Streams(store)
    streams.ledger.append(KIND, "odd", state, expected=0, actor="os:t", action="hold.moved")
    streams.grow("old")
    streams.grow("old")
    streams.grow("old", ended=True)
    heads = StrictHeads(streams.ledger, store, KIND, ends=ENDED)
    heads.refresh()
    store.listed.clear()
    heads.refresh()
    assert store.listed == ["ledger/hold/odd/"]
