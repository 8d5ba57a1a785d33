"""The job: finds silent recorders, what they stored without a line, and has the adopter sign for it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Protocol

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.ids import has_cameras, is_adopter
from archive.integrity.adoption.lines import Said, Tail
from archive.integrity.adoption.signing import Signer
from archive.integrity.adoption.silence import Silence
from archive.integrity.adoption.whole import check_whole
from archive.integrity.rebuild.known import Known
from archive.integrity.rebuild.report import RebuildReport
from archive.lifecycle.disposition.walk import own_leaf
from archive.model import leaf as leaves
from archive.model.custody import Actor
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.ports import IndexEntry, ObjectVersion, Stores
from archive.records.heartbeat import Beat
from archive.records.set_aside import GapSource, is_set_aside
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant, hour_of

ACT = "footage.adopted"
LOOK_BACK = 31 * DAY
"""A recorder that was silent for longer was looked at before, or nobody ever ran this job."""
_LONGEST = 10 * MINUTE
"""Longer than any segment: one may begin in an hour before that in which it was stored."""
_ANEW = DAY
_AT_ONCE = 500
_SHORTEST = SECOND // 10
"""No segment is shorter, so that an invented number does not become millions of gaps."""
_IN_ITS_PLACE = (GapCause.UPLOAD_LOST, GapCause.SET_ASIDE)
"""Causes of a gap that a recorder signs in the place of one segment."""

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
    ``examine`` accepts a segment's bytes, or raises IntegrityError.
    """

    stores: Stores
    index: GapSource
    clock: Clock
    beats: Callable[[], Iterable[Beat]]
    signer: Callable[[], Signer]
    record: Record
    tell: Tell
    bound: int
    examine: Callable[[Segment, bytes], None] = check_whole
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
        registered = {
            keys.parse_ledger_key(one.key)[1]
            for one in self.stores.records.list(keys.ledger_prefix("recorder"))
        }
        beats = {beat.recorder: beat for beat in self.beats()}
        heard = {name: beat.at for name, beat in beats.items()}
        mine = [name for name in registered if has_cameras(name)]
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
        adopters = sorted(filter(is_adopter, registered))
        count = 0
        failed: ArchiveError | None = None
        for name in due:
            try:
                count += self._take_up(name, beats.get(name), known, said, adopters, now)
            except _Alive:
                continue
            except ArchiveError as error:
                failed = failed or error
                continue
            self._done[name] = heard.get(name, 0), monotonic
        if failed is not None:
            raise failed
        return count

    def _take_up(
        self, name: str, beat: Beat | None, known: Known, said: Said, adopters: Collection[str], now: int
    ) -> int:
        """Adopt what one silent recorder left. Raises _Alive."""
        waited = now if beat is None else beat.at - int(beat.state.get("oldest_us") or 0)
        oldest = now - LOOK_BACK if beat is None else waited - DAY
        tail = said.tail(name, oldest=oldest, until=now, waited=waited)
        if now - tail.uploaded < self.bound:
            raise _Alive
        if beat is None and not tail.uploaded:
            return 0
        # Not only as long as the index heard it: it stores and signs while the index is away.
        until = now if beat is None else min(now, max(beat.at, tail.uploaded) + HOUR)
        orphans = list(self._without_a_line(name, beat, tail, until, now))
        if not orphans:
            return 0
        adopted = said.adopted(adopters, tail.since, now)
        orphans = [one for one in orphans if leaves.encode(one.leaf) not in adopted]
        count = 0
        for camera in sorted({one.leaf.camera for one in orphans}):
            count += self._adopt(camera, [one for one in orphans if one.leaf.camera == camera], tail, known)
        return count

    def _without_a_line(
        self, name: str, beat: Beat | None, tail: Tail, until: int, now: int
    ) -> Iterator[Orphan]:
        """What the recorder stored after its last batches, and none of them names."""
        stated = {} if beat is None else beat.state.get("cameras") or {}
        first, last = hour_of(tail.since - _LONGEST), hour_of(until)
        for camera in sorted({*tail.cameras, *stated}):
            for hour in range(first, last + HOUR, HOUR):
                for listed in self.stores.footage.list(keys.segment_prefix(camera, hour)):
                    if listed.stored_at < tail.since:
                        continue
                    orphan = self._orphan(listed)
                    if orphan is None or orphan.leaf.recorder != name:
                        continue
                    if now - listed.stored_at < self.bound:
                        raise _Alive
                    if leaves.encode(orphan.leaf) not in tail.lines:
                        yield orphan

    def _orphan(self, listed: ObjectVersion) -> Orphan | None:
        try:
            return Orphan(listed, own_leaf(self.stores.footage, listed))
        except IntegrityError as error:
            self.tell(listed.key, error)
            return None

    def _adopt(self, camera: str, orphans: Sequence[Orphan], tail: Tail, known: Known) -> int:
        """Adopt segments of one camera, whose bytes are examined first."""
        whole = [one for one in orphans if self._is_whole(one)]
        if not whole:
            return 0
        signer = self._known_signer(known)
        self._put_on_record(camera, signer.name, [one.leaf for one in whole])
        entry_of, refused = partial(_entry, known), self._refused
        refused_keys = {one.leaf.key for one in orphans} - {one.leaf.key for one in whole}
        entries = [entry_of(one.leaf, one.listed.version) for one in whole]
        entries += [entry_of(gap, "") for gap in self._lost(signer.name, whole, refused_keys, tail)]
        for at in range(0, len(entries), _AT_ONCE):
            signer.sign(entries[at : at + _AT_ONCE], refused)
        return len(whole)

    def _put_on_record(self, camera: str, signer: str, found: Sequence[Segment]) -> None:
        """Record the act, once: not again in each turn where a later step fails."""
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
        listed, leaf = orphan.listed, orphan.leaf
        try:
            self.examine(leaf, self.stores.footage.get(listed.key, version=listed.version))
        except IntegrityError as error:
            self.tell(listed.key, error)
            return False
        return not is_set_aside(self.index, listed.key)

    def _lost(
        self, signer: str, whole: Sequence[Orphan], refused: Collection[str], tail: Tail
    ) -> Iterator[Gap]:
        """A gap for each number of their runs that was never stored, between two that were.

        None where a line says already what became of the number, or the archive has its segment: one whose
        line came with an older batch.
        """
        camera = whole[0].leaf.camera
        runs: dict[str, dict[int, Timespan]] = {}
        adopted = {one.leaf.run for one in whole}
        for leaf in (*_leaves(tail.lines, b"segment"), *(one.leaf for one in whole)):
            if isinstance(leaf, Segment) and leaf.run in adopted:
                runs.setdefault(leaf.run, {})[leaf.seq] = leaf.span
        told = {leaf.gap for leaf in _leaves(tail.lines, b"gap") if isinstance(leaf, Gap)}
        kept = {(name.run, name.seq) for name in map(keys.parse_segment_key, refused)}
        for run, found in sorted(runs.items()):
            for before, after in pairwise(sorted(found)):
                between = Timespan(found[before].start, max(found[after].end, found[before].end))
                if after - before - 1 > (found[after].start - found[before].end) // _SHORTEST:
                    continue  # so many were never between them
                if after > before + 1:
                    kept |= self._stored(camera, between)
                missing = [
                    seq
                    for seq in range(before + 1, after)
                    if (run, seq) not in kept
                    and not told & {id_for_segment(cause, run, seq) for cause in _IN_ITS_PLACE}
                ]
                parts = _divided(found[before].end, found[after].start, len(missing))
                for seq, span in zip(missing, parts, strict=False):
                    yield Gap(
                        camera=camera, recorder=signer, gap=id_for_segment(GapCause.UPLOAD_LOST, run, seq),
                        span=span, cause=GapCause.UPLOAD_LOST, ingested_at=self.clock.now(),
                    )  # fmt: skip

    def _stored(self, camera: str, span: Timespan) -> set[tuple[str, int]]:
        """Run and number of each segment in the archive that starts in the hours of the span."""
        found = set()
        for hour in range(hour_of(span.start), span.end, HOUR):
            for listed in self.stores.footage.list(keys.segment_prefix(camera, hour)):
                with suppress(Malformed):  # archive check reports a foreign object
                    name = keys.parse_segment_key(listed.key)
                    found.add((name.run, name.seq))
        return found

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


def _entry(known: Known, leaf: Segment | Gap, version: str) -> IndexEntry:
    held = isinstance(leaf, Segment) and known.is_held(leaf.camera, leaf.span)
    return IndexEntry(leaf=leaf, place=known.place(leaf.camera, leaf.span.start), version=version, held=held)


def _leaves(lines: Iterable[bytes], kind: bytes) -> Iterator[Leaf]:
    return (leaves.decode(line) for line in lines if b'"type":"%b"' % kind in line)


def _divided(start: int, end: int, parts: int) -> Iterator[Timespan]:
    """A stretch in equal parts; none where it is too short for them."""
    if parts and end - start >= parts:
        edges = [start + (end - start) * number // parts for number in range(parts + 1)]
        yield from map(Timespan, edges, edges[1:])
