"""The job: finds silent recorders, what they stored without a line, and has the adopter sign for it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, product
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.ids import has_cameras, is_adopter
from archive.integrity.adoption.lines import Said, Tail, digest
from archive.integrity.adoption.lost import LONGEST, Index, Lost, Named
from archive.integrity.adoption.signing import Signer
from archive.integrity.adoption.silence import Silence
from archive.integrity.adoption.whole import check_whole
from archive.integrity.fixity.disposed import Disposed
from archive.integrity.rebuild.known import Known
from archive.integrity.rebuild.report import RebuildReport
from archive.lifecycle.disposition.walk import own_leaf
from archive.model import leaf as leaves
from archive.model.custody import Actor
from archive.model.gap import Gap
from archive.model.segment import Segment
from archive.ports import IndexEntry, ObjectVersion, Stores
from archive.records.heartbeat import Beat
from archive.records.journal_objects import batches_of
from archive.records.ledger.streams import Ledger
from archive.records.recorder_keys import keys_of, registered_names
from archive.records.set_aside import is_set_aside
from archive.timespan import DAY, HOUR, format_instant, hour_of

ACT = "footage.adopted"
LOOK_BACK = 31 * DAY
"""A recorder that was silent for longer was looked at before, or nobody ever ran this job."""
_ANEW = DAY
_AT_ONCE = 500
_ORPHANS = 20_000
"""How many segments without a line are held (about 2 kB each) before they are adopted."""
_NUMBERS = 500_000
"""Of how many lines the numbers are held: for the cameras of so many the last batches are read once."""

Tell = Callable[[str, ArchiveError], None]
"""Gets an object's name, and why it was not adopted."""


class Record(Protocol):
    """Keeps an act durably."""

    def __call__(
        self, event_type: str, *, actor: Actor, objects: tuple[str, ...], details: Mapping[str, str | int]
    ) -> object:
        """Raises as the custody record; then the act does not take place."""
        ...


@dataclass(frozen=True, slots=True)
class Orphan:
    """A segment without a line: its object, and the leaf that the object carries."""

    listed: ObjectVersion
    leaf: Segment


class _Alive(Exception):
    """A sign of life turned up: nothing of this recorder is adopted."""


@dataclass(slots=True)
class Adoption:
    """One job over the whole archive. Not thread-safe.

    ``bound`` is how long (µs) a recorder must be silent; ``beats`` reads the last heartbeat of each recorder.
    ``signer`` makes the adopter when it is needed first; ``record`` puts an act into the custody record.
    ``floor`` (µs) is how long all footage is locked: of older footage nothing is called lost.
    ``examine`` accepts a segment's bytes, which come in pieces, or raises IntegrityError.
    """

    stores: Stores
    index: Index
    clock: Clock
    beats: Callable[[], Iterable[Beat]]
    signer: Callable[[], Signer]
    record: Record
    tell: Tell
    bound: int
    floor: int
    examine: Callable[[Segment, Iterable[bytes]], None] = check_whole
    _silence: Silence = field(init=False)
    _done: dict[str, tuple[int, int]] = field(default_factory=dict)
    _signer: Signer | None = None
    _has_taken_up: bool = False
    _recorded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._silence = Silence(self.bound)

    def run(self) -> int:
        """One turn; returns the number of segments that were adopted.

        Raises:
            ArchiveError: as the stores, the index or the disk, after every recorder had its turn; the next
                turn goes on.
        """
        now, monotonic = self.clock.now(), self.clock.monotonic()
        beats = {beat.recorder: beat for beat in self.beats()}
        heard = {name: beat.at for name, beat in beats.items()}
        mine = [name for name in registered_names(self.stores.records) if has_cameras(name)]
        due = []
        for name in self._silence.silent(mine, heard, now, monotonic):
            at, done = self._done.get(name, (-1, 0))
            if (at != heard.get(name, 0) or monotonic - done >= _ANEW) and now - heard.get(
                name, now
            ) < LOOK_BACK:
                due.append(name)
        if not due:
            return 0
        known = Known(self.stores.records, RebuildReport())
        known.learn(lambda kind, entity, version, state: None)
        said = Said(self.stores.records, known.keys)
        count = 0
        failed: ArchiveError | None = None
        for name in due:
            try:
                count += self._take_up(name, beats.get(name), known, said, now)
            except _Alive:
                continue
            except ArchiveError as error:
                failed = failed or error
                continue
            self._done[name] = heard.get(name, 0), monotonic
        if failed is not None:
            raise failed
        return count

    def _take_up(self, name: str, beat: Beat | None, known: Known, said: Said, now: int) -> int:
        """Adopt what one silent recorder left. Raises _Alive."""
        waited, cameras = _said(beat)
        heard = None if beat is None or beat.at > now else beat.at
        # The names of a recorder's batches and segments have its own clock's time, which may be ahead.
        latest = now if beat is None else max(now, min(beat.at, now + LOOK_BACK))
        oldest = now - LOOK_BACK if heard is None else heard - waited - DAY
        tail = said.tail(name, oldest=oldest, until=latest, heard=heard, waited=waited)
        if now - tail.uploaded < self.bound or self._signs_in_the_future(name, latest, now):
            raise _Alive
        if beat is None and not tail.uploaded:
            return 0
        # Not only as long as the index heard it: it stores and signs while the index is away.
        last = None if heard is None else max(heard, tail.uploaded)
        until = latest if last is None else min(now, last + HOUR)
        hours = range(hour_of(tail.since - LONGEST), hour_of(until) + HOUR, HOUR)
        named = sorted({*tail.cameras, *cameras})
        found = self._without_a_line(name, product(hours, named), tail, said, now, last)
        orphans = list(islice(found, _ORPHANS))
        if len(orphans) == _ORPHANS:  # more may follow, and none is adopted before all were looked at
            self._refuse_who_stores(name, product(hours, named), tail, now)
        count = 0
        while orphans:
            count += self._adopt_each(orphans, tail, said, known)
            orphans = list(islice(found, _ORPHANS))
        return count

    def _adopt_each(self, orphans: Sequence[Orphan], tail: Tail, said: Said, known: Known) -> int:
        """Adopt segments camera by camera, but those that were adopted since they were left."""
        lines = {leaves.encode(one.leaf) for one in orphans}
        adopters = dict[str, frozenset[str]]()
        lines.difference_update(self._adopted(tail.since, adopters))
        cameras: dict[str, list[Orphan]] = {}
        for one in sorted(orphans, key=lambda one: one.listed.key):
            if leaves.encode(one.leaf) in lines:
                cameras.setdefault(one.leaf.camera, []).append(one)
        count = 0
        for some in _some(sorted(cameras), tail.lines):
            runs = {(camera, one.leaf.run) for camera in some for one in cameras[camera]}
            named = Named(said.about(tail, some), runs)
            for camera in some:
                count += self._adopt(camera, cameras[camera], tail, named, adopters, known)
        return count

    def _signs_in_the_future(self, name: str, latest: int, now: int) -> bool:
        """Whether a batch came within the bound under the name of a later hour: its clock is ahead."""
        return any(
            now - listed.stored_at < self.bound
            for hour in range(hour_of(latest) + HOUR, latest + DAY + HOUR, HOUR)
            for listed in batches_of(self.stores.records, name, hour)
        )

    def _adopted(
        self, since: int, named: dict[str, frozenset[str]], camera: str | None = None
    ) -> Iterator[bytes]:
        """The lines that were adopted since then, by any adopter that is registered now."""
        records, public = self.stores.records, dict[str, Mapping[str, Ed25519PublicKey]]()
        for name in filter(is_adopter, registered_names(records)):
            with suppress(
                IntegrityError, Malformed
            ):  # archive check reports its stream; it says nothing here
                public[name] = keys_of(Ledger(records, self.clock), name)
        return Said(records, public).adopted(
            sorted(public), since, self.clock.now(), named=named, camera=camera
        )

    def _without_a_line(
        self, name: str, places: Iterable[tuple[int, str]], tail: Tail, said: Said, now: int, last: int | None
    ) -> Iterator[Orphan]:
        """What the recorder stored after its last batches, and none of them names.

        ``places`` are hours, each with its cameras. ``last`` (µs) is its last sign of life: not much later
        it can have stored anything; None if unknown.
        """
        of, named = -1, frozenset[bytes]()
        for hour, camera in places:
            for listed in self._stored(camera, hour, tail):
                orphan = self._orphan(listed)
                if orphan is None or orphan.leaf.recorder != name:
                    continue
                if now - listed.stored_at < self.bound:
                    raise _Alive
                if of != hour:
                    of, named = hour, said.named(tail, hour)
                if digest(leaves.encode(orphan.leaf)) in named:
                    continue
                if last is not None and listed.stored_at > last + self.bound + HOUR:
                    self.tell(listed.key, _late(listed.key, name))
                    continue
                yield orphan

    def _refuse_who_stores(self, name: str, places: Iterable[tuple[int, str]], tail: Tail, now: int) -> None:
        """Raise _Alive if the recorder stored a segment within the bound."""
        for hour, camera in places:
            for listed in self._stored(camera, hour, tail):
                if now - listed.stored_at < self.bound:
                    orphan = self._orphan(listed)
                    if orphan is not None and orphan.leaf.recorder == name:
                        raise _Alive

    def _stored(self, camera: str, hour: int, tail: Tail) -> Iterator[ObjectVersion]:
        """What was stored of a camera's hour since the tail began."""
        listed = self.stores.footage.list(keys.segment_prefix(camera, hour))
        return (one for one in listed if one.stored_at >= tail.since)

    def _orphan(self, listed: ObjectVersion) -> Orphan | None:
        try:
            return Orphan(listed, own_leaf(self.stores.footage, listed))
        except IntegrityError as error:
            self.tell(listed.key, error)
            return None

    def _adopt(
        self, camera: str, orphans: Sequence[Orphan], tail: Tail, named: Named,
        adopters: dict[str, frozenset[str]], known: Known,
    ) -> int:  # fmt: skip
        """Adopt segments of one camera, whose bytes are examined first."""
        whole = [one for one in orphans if self._is_whole(one)]
        # Again: to read the segments took long, and another may adopt.
        adopted = frozenset(self._adopted(tail.since, adopters, camera))
        whole = [one for one in whole if leaves.encode(one.leaf) not in adopted]
        if not whole:
            return 0
        signer = self._known_signer(known)
        self._put_on_record(camera, signer.name, [one.leaf for one in whole])
        entry_of, refused = partial(_entry, known), self._refused
        found, runs = [one.leaf for one in orphans], {one.leaf.run for one in whole}
        said = (named, Named(adopted, {(camera, run) for run in runs}))
        # The gaps first: a segment without a line is found again in the next turn, and so are they.
        entries = [entry_of(gap, "") for gap in self._lost(signer.name, found, runs, said, tail, known)]
        entries += [entry_of(one.leaf, one.listed.version) for one in whole]
        for at in range(0, len(entries), _AT_ONCE):
            signer.sign(entries[at : at + _AT_ONCE], refused)
        self._recorded.difference_update(one.leaf.key for one in whole)
        return len(whole)

    def _put_on_record(self, camera: str, signer: str, found: Sequence[Segment]) -> None:
        """Record the act, once: not again in each turn where a later step fails.

        A process that ends before it signed is followed by one that records the same act again, with the same
        facts: a signature without an act would be worse.
        """
        fresh = [leaf for leaf in found if leaf.key not in self._recorded]
        if not fresh:
            return
        self.record(
            ACT,
            actor=Actor(id=f"recorder:{signer}"),
            objects=(camera,),
            details={
                "from": format_instant(min(leaf.span.start for leaf in fresh)),
                "to": format_instant(max(leaf.span.end for leaf in fresh)),
                "recorder": fresh[0].recorder, "segments": len(fresh),
            },
        )  # fmt: skip
        self._recorded.update(leaf.key for leaf in fresh)

    def _is_whole(self, orphan: Orphan) -> bool:
        """Whether the bytes are the leaf's, read once in pieces; of another size, they are not read."""
        listed, leaf = orphan.listed, orphan.leaf
        if is_set_aside(self.index, listed.key):
            return False
        try:
            if listed.size != leaf.size:
                raise IntegrityError(
                    f"{listed.key} has {listed.size} bytes, {leaf.size} on record", code="size_differs"
                )
            self.examine(leaf, self.stores.footage.stream(listed.key, version=listed.version))
        except IntegrityError as error:
            self.tell(listed.key, error)
            return False
        return True

    def _lost(
        self, signer: str, found: Sequence[Segment], runs: Collection[str], said: Sequence[Named],
        tail: Tail, known: Known,
    ) -> Sequence[Gap]:  # fmt: skip
        """The gaps for numbers that were never stored; none where what may account for them is unreadable."""
        records = self.stores.records
        lost = Lost(
            self.stores.footage, self.index, Said(records, known.keys),
            Disposed(records, Ledger(records, self.clock)), self.clock, self.floor,
        )  # fmt: skip
        try:
            return list(lost.gaps(signer, found, runs, said, tail.uploaded))
        except (IntegrityError, Malformed, NotFound) as error:
            self.tell(f"segments/{found[0].camera}/", error)
            return []

    def _known_signer(self, known: Known) -> Signer:
        if self._signer is None:
            self._signer = self.signer()  # once: it locks its folder until the process ends
        if not self._has_taken_up:
            self._signer.take_up(partial(_entry, known), self._refused)
            self._has_taken_up = True
        return self._signer

    def _refused(self, entry: IndexEntry, error: Malformed) -> None:
        leaf = entry.leaf
        self.tell(leaf.key if isinstance(leaf, Segment) else leaf.camera, error)


def _some(cameras: Iterable[str], lines: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """The cameras in groups, none of which has more than so many lines unless it is one camera."""
    some, held = list[str](), 0
    for camera in cameras:
        if some and held + lines.get(camera, 0) > _NUMBERS:
            yield some
            some, held = [], 0
        some.append(camera)
        held += lines.get(camera, 0)
    if some:
        yield some


def _said(beat: Beat | None) -> tuple[int, Collection[str]]:
    """How long (µs) the oldest entry had waited, and the cameras; nothing where a heartbeat says nonsense."""
    state = {} if beat is None else beat.state
    waited, cameras = state.get("oldest_us"), state.get("cameras")
    return (
        min(max(waited, 0), LOOK_BACK) if isinstance(waited, int) else 0,
        cameras.keys() if isinstance(cameras, dict) else (),
    )


def _late(key: str, recorder: str) -> IntegrityError:
    return IntegrityError(
        f"{key} was stored long after {recorder} gave its last sign",
        code="stored_after_silence",
        hint="Find out who stored it: its leaf names that recorder. It stays as it is.",
    )


def _entry(known: Known, leaf: Segment | Gap, version: str) -> IndexEntry:
    held = isinstance(leaf, Segment) and known.is_held(leaf.camera, leaf.span)
    return IndexEntry(leaf=leaf, place=known.place(leaf.camera, leaf.span.start), version=version, held=held)
