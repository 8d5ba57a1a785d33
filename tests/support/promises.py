"""An archive under all operations at once, and the promises that must always hold for it.

A :class:`World` has cameras, policies and holds, segments that arrive early, late or without a journal line,
and all jobs. Each operation may die at any call of a store or the index; a new process then continues and
reads everything again. After each operation the world is compared with the ledger's state *before* it, by
separate rules that share no code with those under test: destroyed footage must have been due, and neither
held nor locked.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from archive import keys
from archive.canonical import decode, sha256_hex
from archive.clock import Clock, ManualClock, SystemClock
from archive.errors import Conflict, Malformed, Refused
from archive.footage.cameras import Registry
from archive.footage.places import PlaceHistory
from archive.integrity.check.job import Checker
from archive.integrity.check.report import Breach, Depth
from archive.integrity.rebuild.known import document_state
from archive.integrity.rebuild.sync import Sync
from archive.lifecycle.disposition import listing
from archive.lifecycle.disposition.job import Disposer
from archive.lifecycle.disposition.record import Organization
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.service import Holds
from archive.lifecycle.retention.book import PolicyBook
from archive.lifecycle.retention.job import LockExtension
from archive.lifecycle.retention.service import Policies
from archive.model import leaf as leaves
from archive.model.custody import Actor
from archive.model.disposition import KIND as DISPOSITION
from archive.model.disposition import Cause, Disposition, DispositionStatus
from archive.model.disposition import from_state as disposition_of
from archive.model.gap import GapCause
from archive.model.retention import OnPressure, Terms
from archive.model.segment import ClockStatement, Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, Lock, LockMode, ObjectHead, ObjectStore, ObjectVersion, Stores
from archive.records import journal
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.verify import verify_log
from archive.records.custody import CustodyWriter
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, parse_instant
from archive.trust.judge import load_trust
from archive.vault import FernetBox, new_key
from ops import keys as key_files
from search.index import Index
from search.query import SegmentQuery
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import RECORDER_KEY, camera_form
from tests.support.crashing import Countdown, CrashingStore, ProcessDied, crashing
from tests.support.gates import manual_gate
from tests.support.leaves import T0
from tests.support.servers import MinioServer, remove_bucket
from tests.support.workers import own_name

FLOOR_DAYS = 2
WAIT_HOURS = 24
LOCK_DAYS = 1
ORIGIN = "saksi.test/promises"
CAMERAS = ("cam-1", "cam-2")
SCOPES = ("default", "owner:public", "kecamatan:73.71.13", "camera:cam-1")
ORGANIZATION = Organization(organization="Pemerintah Kota Makassar", time_zone="Asia/Makassar")
_REFRESH = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies: after a number of calls, before the next call takes effect or right after it."""

    calls: int
    done_first: bool


class Work:
    """One process with every job and service in their initial state; a countdown makes it die."""

    def __init__(self, world: "World", countdown: Countdown | None = None) -> None:
        clock = world.clock
        self.stores = world.stores if countdown is None else crashing(world.stores, countdown)
        index: Any = (
            world.index
            if countdown is None
            else CrashingStore(cast(ObjectStore, world.index), "index", countdown)
        )
        records = self.stores.records
        self.ledger = Ledger(records, clock, lock_days=LOCK_DAYS)
        gate = manual_gate(self.stores, clock)
        self.holds = Holds(self.ledger, records, index, clock, gate=gate)
        self.policies = Policies(
            self.ledger, records, index, clock, floor_days=FLOOR_DAYS, wait_hours=WAIT_HOURS
        )
        self.sweeper = Sweeper(self.stores, self.ledger, index, clock)
        self.locks = LockExtension(self.stores, self.ledger, clock, floor_days=FLOOR_DAYS)
        self.sync = Sync(self.stores, index, clock)
        signer = key_files.load_log_signer(world.keys_dir, clock=clock)
        authority = key_files.load_local_authority(world.keys_dir, clock=clock)
        self.disposer = Disposer(
            stores=self.stores,
            index=index,
            ledger=self.ledger,
            signer=signer,
            authority=authority,
            clock=clock,
            organization=ORGANIZATION,
            floor_days=FLOOR_DAYS,
            lock_days=LOCK_DAYS,
            gate=gate,
        )
        self.maker = CheckpointMaker(
            stores=self.stores,
            ledger=self.ledger,
            clock=clock,
            signer=signer,
            authority=authority,
            origin=ORIGIN,
            lock_days=LOCK_DAYS,
        )

    def dispose(self, cause: Cause = Cause.RETENTION) -> Disposition | None:
        """One turn of the job: finish open dispositions, decide, destroy."""
        self.disposer.resume()
        begun = self.disposer.begin(self.disposer.judge(cause).everything(), actor="job:dispose")
        return None if begun is None else self.disposer.carry_out(begun)


@dataclass(frozen=True, slots=True)
class Sight:
    """What protects each stored segment, by the ledger and the store at one moment."""

    stored: frozenset[str]
    held: frozenset[str]
    locked: Mapping[str, int]


@dataclass
class World:
    """One archive. ``real_now`` is the clock by which the store checks locks."""

    folder: Path
    clock: ManualClock
    stores: Stores
    keys_dir: Path
    real_now: Callable[[], int]
    segments: dict[str, Segment] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)
    unwritten: list[Segment] = field(default_factory=list)
    destroyed: set[str] = field(default_factory=set)
    batches: int = 0
    deaths: int = 0
    _prev: str = journal.GENESIS
    _known: tuple[int, PolicyBook, HoldBook] | None = None

    def __post_init__(self) -> None:
        self.start = self.clock.now()
        self.index: Index = open_sqlite(self.folder / "index.sqlite")
        ledger = Ledger(self.stores.records, self.clock, lock_days=LOCK_DAYS)
        registry = Registry(ledger, FernetBox(new_key()), self.index, self.clock)
        for camera in CAMERAS:
            registry.add(camera_form(camera), actor="os:tester")
        raw = RECORDER_KEY.public_key().public_bytes_raw()
        state = {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256_hex(raw)}
        entry = ledger.append(
            "recorder", "rec-1", state, expected=0, actor="os:tester", action="recorder.registered"
        )
        self.index.put_document("recorder", "rec-1", entry.version, document_state("recorder", entry.state))
        self.custody = CustodyWriter(self.stores.records, self.clock, writer="api-1", lock_days=LOCK_DAYS)
        self.places = PlaceHistory.read(ledger, self.stores.records)
        self.clock.advance(HOUR)
        self.work = Work(self)

    # What may happen -----------------------------------------------------------------------------------

    def act(self, do: Callable[[Work], object], death: Death | None = None) -> None:
        """Run an operation in a process that may die, and check that everything protected is still there."""
        before = self.look()
        if death is not None:
            self.work = Work(self, Countdown(death.calls, death.done_first))
        try:
            do(self.work)
        except ProcessDied:
            self.deaths += 1
        except Conflict:
            pass  # another process was first, or there is nothing to decide: a normal refusal
        except Malformed as error:
            if error.code != "nothing_to_change":
                raise
        if death is not None:
            self.work = Work(self)
        self.compare(before)

    def arrive(self, camera: str, seconds_ago: int, *, indexed: bool, written: bool) -> None:
        """Put a segment as a recorder does, by rules that are at most five seconds old."""
        start = self.clock.now() - seconds_ago * SECOND
        start = max(self.start, start - start % (10 * SECOND))
        name = f"{CAMERAS.index(camera):04x}{start // (10 * SECOND):012x}"
        if any(one.run == name for one in self.segments.values()):
            return
        body = f"{camera}/{start}".encode() * 20
        segment = Segment(
            camera=camera,
            recorder="rec-1",
            run=name,
            seq=0,
            span=Timespan(start, start + 10 * SECOND),
            media_duration=900_000,
            sha256=sha256(body).hexdigest(),
            size=len(body),
            header_bytes=40,
            codec="h264",
            gop="closed",
            frames=150,
            clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
            camera_time=None,
            ingested_at=self.clock.now(),
        )
        policies, holds = self._rules()
        place = self.places.place(camera, start)
        instants = (start, self.clock.now())
        ruled = max(policies.ruling(camera, place, at).locked_until(start) for at in instants)
        until = max(
            ruled, self.clock.now() + DAY
        )  # as ingest does for a segment that waited in the spool that long
        is_held = holds.is_held(segment)
        stored = self.stores.footage.put(
            segment.key,
            Content.of_bytes(body),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
            lock=Lock(LockMode.GOVERNANCE, until),
            hold=is_held,
        )
        self.segments[segment.key] = segment
        if written:
            self.unwritten.append(segment)
        if indexed:
            entry = IndexEntry(leaf=segment, place=place, version=stored.version, held=is_held)
            self.index.add([entry])
        elif not written:
            self.orphans.add(segment.key)

    def _rules(self) -> tuple[PolicyBook, HoldBook]:
        now = self.clock.now()
        if self._known is None or now - self._known[0] >= _REFRESH:
            ledger = Ledger(self.stores.records, self.clock)
            policies = PolicyBook.of_entries(ledger.heads("policy"), floor_days=FLOOR_DAYS)
            self._known = now, policies, HoldBook.of_entries(ledger.heads("hold"))
        return self._known[1], self._known[2]

    def upload(self) -> None:
        """Upload the recorder's next batch, if it has lines."""
        if not self.unwritten:
            return
        self.batches += 1
        now = self.clock.now()
        body = journal.encode(
            self.unwritten, recorder="rec-1", batch=self.batches, prev=self._prev, at=now, key=RECORDER_KEY
        )
        key = keys.journal_key("rec-1", self.batches, now)
        self.stores.records.put(key, Content.of_bytes(body), lock=Lock(LockMode.GOVERNANCE, now + DAY))
        self._prev = journal.digest_of(body)
        self.unwritten.clear()

    def look_on(self) -> None:
        """A person views footage, which leaves a custody event."""
        self.custody.record("clip.download", actor=Actor(id="token:t"), objects=("cam-1",), purpose="shift")

    def terms(self, least: int, longest: int | None, is_relief: bool) -> Terms:
        """Terms from now on."""
        return Terms(
            keep_days_min=least,
            keep_days_max=longest,
            basis="Perwali 4/2017 pasal 9",
            effective_from=self.clock.now(),
            on_pressure=OnPressure.DISPOSE_PAST_MINIMUM if is_relief else OnPressure.KEEP,
        )

    # What must be true ---------------------------------------------------------------------------------

    def look(self) -> Sight:
        """The held segments by the ledger's raw entries, and the locked ones by the store."""
        heads = {v.key: self.stores.footage.head(v.key) for v in self.stores.footage.list("segments/")}
        holds = [state for state in self._states("hold").values() if state["status"] != "released"]
        locks = {key: head.lock.until for key, head in heads.items() if head.lock is not None}
        held = frozenset(key for key in heads if any(_covers(one, self.segments[key]) for one in holds))
        return Sight(frozenset(heads), held, locks)

    def compare(self, before: Sight) -> None:
        """Check that destroyed segments were neither held nor locked, and due by a policy in force."""
        now = self.clock.now()
        stored = {version.key for version in self.stores.footage.list("segments/")}
        gone = before.stored - stored
        assert not gone & before.held, f"held, and missing: {sorted(gone & before.held)}"
        for key in gone:
            assert before.locked.get(key, 0) <= self.real_now(), f"locked, and missing: {key}"
            assert self._is_due(self.segments[key], now), f"no policy ruled that it goes: {key}"
        self.destroyed |= gone

    def _is_due(self, segment: Segment, now: int) -> bool:
        """Whether a segment is due, by the raw policies: the first scope with terms in force decides."""
        states = self._states("policy")
        for scope in (f"camera-{segment.camera}", "kecamatan-73.71.13", "owner-public", "default"):
            for terms in reversed(states.get(scope, {"terms": []})["terms"]):
                until = terms.get("effective_until")
                begun = parse_instant(terms["effective_from"]) <= now
                if not begun or (until is not None and parse_instant(until) <= now):
                    continue
                least = max(terms["keep_days_min"], FLOOR_DAYS)
                days = None if terms["keep_days_max"] is None else max(terms["keep_days_max"], least)
                if terms["on_pressure"] == "dispose_past_minimum":
                    days = least
                return days is not None and segment.span.start + days * DAY <= now
        return False

    def _states(self, kind: str) -> dict[str, dict[str, Any]]:
        """The newest state of each stream, read without the ledger's code, except for its names."""
        newest: dict[str, str] = {}
        for listed in self.stores.records.list(f"ledger/{kind}/"):
            newest[listed.key.split("/")[2]] = listed.key
        return {name: _state_in(self.stores.records.get(key)) for name, key in newest.items()}

    def come_to_rest(self) -> None:
        """Run every job until nothing is left to do, as after a quiet hour."""
        self.upload()
        for pause in (20 * SECOND, MINUTE, 20 * MINUTE, HOUR):
            self.clock.advance(pause)
            before = self.look()
            work = Work(self)
            work.sweeper.run()
            work.locks.run()
            work.dispose()
            work.sync.run()
            work.maker.run_due()
            self.compare(before)
        self.clock.advance(20 * SECOND)
        self.work = Work(self)
        self.work.sweeper.run()

    def require_promises(self) -> None:
        """I1 to I5 and I9, once the jobs have come to rest."""
        unknown = {breach.object for breach in self.breaches() if breach.code == "not_indexed"}
        assert unknown <= self.orphans, f"not indexed: {sorted(unknown - self.orphans)}"
        others = [breach for breach in self.breaches() if breach.code != "not_indexed"]
        assert not others, others
        incidents = [state["code"] for state in self._states("integrity_incident").values()]
        assert not incidents, incidents
        self._require_flags()
        self._require_dispositions()
        report = verify_log(
            self.stores,
            self.clock,
            trust=load_trust([self.keys_dir / "root.pem"], [], None),
            interval=HOUR,
        )
        assert report.valid, [finding.to_json() for finding in report.findings]
        answered = self.answers()
        self._rebuild()
        assert not self.breaches(), self.breaches()
        if not unknown:
            assert self.answers() == answered, "the rebuilt index answers differently"

    def breaches(self) -> list[Breach]:
        """The breaches by ``archive check``, without I6, because nothing here writes gaps."""
        report = Checker(
            self.stores, self.index, self.clock, depth=Depth.BYTES, floor_days=FLOOR_DAYS, log_interval=HOUR
        ).run()
        return [breach for breach in report.breaches if breach.invariant != "I6"]

    def _require_flags(self) -> None:
        sight = self.look()
        flagged = {key for key in sight.stored if self.stores.footage.head(key).held}
        assert flagged == sight.held
        assert len(list(self.stores.footage.versions("segments/"))) == len(sight.stored)
        assert sight.stored | self.destroyed == set(self.segments)
        assert not sight.stored & self.destroyed

    def _require_dispositions(self) -> None:
        named: set[str] = set()
        for name, state in self._states(DISPOSITION).items():
            found = disposition_of(name, state)
            assert found.status is DispositionStatus.STAMPED
            kept = {one.key for one in listing.read_kept(self.stores.records, found)}
            doomed = {one.key for one in listing.read_list(self.stores.records, found).segments}
            named |= doomed - kept
            actions = [e.action for e in self.work.ledger.history(DISPOSITION, name)]
            assert actions == ["disposition.started", "disposition.done", "disposition.stamped"]
        assert named == self.destroyed
        for key in self.destroyed:
            segment = self.segments[key]
            gaps = self.index.gaps(segment.camera, segment.span)
            assert any(
                gap.cause is GapCause.DISPOSED
                and gap.span.start <= segment.span.start
                and gap.span.end >= segment.span.end
                for gap in gaps
            ), f"destroyed, and no gap says so: {key}"

    def answers(self) -> tuple[object, ...]:
        """The index's answers to all relevant queries."""
        whole = Timespan(self.start - DAY, self.clock.now() + DAY)
        query = SegmentQuery(span=whole)
        kinds = ("camera", "recorder", "policy", "hold", DISPOSITION)
        return (
            [list(self.index.segments(camera, whole)) for camera in CAMERAS],
            self.index.gap_records(query),
            self.index.hours(query),
            [list(self.index.documents(kind)) for kind in kinds],
        )

    def _rebuild(self) -> None:
        self.index.close()
        for path in self.folder.glob("index.sqlite*"):
            path.unlink()
        self.index = open_sqlite(self.folder / "index.sqlite")
        rebuild_index(self.stores, self.index)
        self.work = Work(self)


def _covers(hold: Mapping[str, Any], segment: Segment) -> bool:
    start, end = parse_instant(hold["from"]), parse_instant(hold["to"])
    return segment.camera in hold["cameras"] and segment.span.start < end and segment.span.end > start


class WallBridge:
    """A store on a server whose clock cannot be moved, for a world with a clock of its own.

    Times of storing are reported in the world's time. No server accepts a lock that has expired by the wall
    clock: the bridge keeps and reports such locks, and they protect nothing. All other locks are the server's
    own.
    """

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._wall = SystemClock()
        self._stored_at: dict[str, int] = {}
        self._over: dict[str, Lock] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(
        self,
        key: str,
        content: Content,
        *,
        metadata: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        hold: bool = False,
    ) -> Any:
        """Put, without a lock that has expired."""
        is_over = lock is not None and self._is_over(lock)
        asked = None if is_over else lock
        stored = self._store.put(key, content, metadata=metadata, lock=asked, hold=hold)
        self._stored_at.setdefault(stored.version, self._clock.now())
        if is_over and lock is not None and stored.created:
            self._over[stored.version] = lock
        return stored

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        """Extend, unless the new lock has expired."""
        known = self._over.get(version)
        if not self._is_over(lock):
            self._store.extend_lock(key, lock, version=version)
        elif known is None or lock.until < known.until:
            raise Refused("it is locked for longer", code="lock_shortened")
        else:
            self._over[version] = lock

    def head(self, key: str, *, version: str | None = None) -> ObjectHead:
        """The same, including a lock that has expired by the wall clock."""
        head = self._store.head(key, version=version)
        return head if head.lock is not None else replace(head, lock=self._over.get(head.version))

    def _is_over(self, lock: Lock) -> bool:
        return lock.until <= self._wall.now() + 2 * SECOND

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The same, in the world's time."""
        return map(self._told, self._store.list(prefix, start_after=start_after))

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The same, in the world's time."""
        return map(self._told, self._store.versions(prefix))

    def _told(self, version: ObjectVersion) -> ObjectVersion:
        return replace(version, stored_at=self._stored_at.get(version.version, version.stored_at))


def bridged(stores: Stores, clock: Clock) -> Stores:
    """The three stores of a server, for a world with the given clock."""
    names = ("footage", "records", "cache")
    return Stores(*(cast(ObjectStore, WallBridge(getattr(stores, name), clock)) for name in names))


@contextmanager
def own_buckets(server: MinioServer) -> Iterator[str]:
    """The address of three locking buckets without a default retention, for one world."""
    name, client = own_name("promises"), server.client()
    names = (name, f"{name}-records", f"{name}-cache")
    for one in names[:2]:
        client.create_bucket(Bucket=one, ObjectLockEnabledForBucket=True)
    client.create_bucket(Bucket=names[2])
    try:
        yield server.archive_url(name)
    finally:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            for found in page.get("Versions", []):
                client.put_object_legal_hold(
                    Bucket=name,
                    Key=found["Key"],
                    VersionId=found["VersionId"],
                    LegalHold={"Status": "OFF"},
                )
        for one in names:
            remove_bucket(client, one)


@contextmanager
def file_world() -> Iterator[World]:
    """A world over folders, which use the world's clock."""
    with _folder() as folder:
        clock = ManualClock(T0)
        stores = Stores(*(FilesystemStore(folder / name, clock) for name in ("footage", "records", "cache")))
        world = World(folder, clock, stores, keys_folder(), clock.now)
        try:
            yield world
        finally:
            world.index.close()


@contextmanager
def s3_world(stores: Stores, *, days_ago: int) -> Iterator[World]:
    """A world over real buckets. It begins some days ago, so that some locks have expired."""
    with _folder() as folder:
        wall = SystemClock()
        begun = wall.now() - days_ago * DAY
        clock = ManualClock(begun - begun % HOUR)
        world = World(folder, clock, bridged(stores, clock), keys_folder(begun), wall.now)
        try:
            yield world
        finally:
            world.index.close()


@contextmanager
def _folder() -> Iterator[Path]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there
    with TemporaryDirectory(prefix="saksi-promises-", dir=memory) as folder:
        yield Path(folder)


@cache
def _keys(day: int) -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory(prefix="saksi-promises-keys-")
    key_files.init(Path(folder.name), clock=ManualClock(day * DAY))
    return folder


def keys_folder(begun: int = T0) -> Path:
    """One set of keys for every world that begins on the same day."""
    return Path(_keys(begun // DAY).name)


def _state_in(entry: bytes) -> dict[str, Any]:
    """The state that the second line of an entry opens, field by field."""
    state: dict[str, Any] = {}
    for path, (_, value) in sorted(decode(entry.split(b"\n")[1])["opens"].items(), key=_place):
        if path.startswith("state."):
            name, dot, member = path.removeprefix("state.").partition(".")
            name, bracket, _ = name.partition("[")
            if dot:
                state.setdefault(name, {})[member] = value
            elif bracket:
                state.setdefault(name, []).append(value)
            else:
                state[name] = value
    return state


def _place(item: tuple[str, Any]) -> tuple[str, int]:
    """The order of fields, with the elements of a list by their number."""
    name, _, number = item[0].rstrip("]").partition("[")
    return name, int(number or 0)
