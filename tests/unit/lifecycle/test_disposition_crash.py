"""Disposition stopped at any call, beside any operation: the same end state, and protected footage stays."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.lifecycle.disposition.gaps import all_disposed
from archive.model.disposition import KIND, DispositionStatus, from_state
from archive.model.gap import Gap
from archive.model.segment import Segment
from archive.ports import Lock, LockMode
from archive.timespan import DAY, HOUR, Timespan
from tests.support.dispositions import MAX_DAYS, Disposal, Fuse, Stopped, disposal
from tests.support.leaves import T0

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there
ALL = Timespan(0, T0 + 400 * DAY)


@contextmanager
def archive_with(segments: int) -> Iterator[tuple[Disposal, list[Segment]]]:
    """Footage of two cameras that is past its maximum."""
    with tempfile.TemporaryDirectory(prefix="saksi-disposal-", dir=MEMORY) as folder:
        made = disposal(Path(folder))
        kept = [
            made.site.keep(number, camera=camera, run=f"6a1500000000000{camera[-1]}")
            for camera in ("cam-1", "cam-2")
            for number in range(segments)
        ]
        made.policy()
        made.site.clock.advance((MAX_DAYS + 1) * DAY)
        try:
            yield made, kept
        finally:
            made.site.index.close()


def end_state(site: Disposal) -> tuple[object, ...]:
    """The content of an archive, without the times of the records."""
    heads = [from_state(entry.id, entry.state) for entry in site.site.ledger.heads(KIND)]
    return (
        site.stored(),
        site.indexed("cam-1") | site.indexed("cam-2"),
        [(d.segments, d.status, d.outcome and (d.outcome.destroyed, dict(d.outcome.kept))) for d in heads],
        {(gap.camera, gap.span, gap.cause) for camera in ("cam-1", "cam-2") for gap in gaps(site, camera)},
    )


def gaps(site: Disposal, camera: str) -> list[Gap]:
    return list(site.site.index.gaps(camera, ALL))


def test_stopped_at_any_call_it_ends_the_same_with_one_closing_entry() -> None:
    with archive_with(2) as (site, segments):
        site.hold(segments[:1])
        fuse = Fuse()
        site.dispose(fuse)
        expected, calls = end_state(site), fuse.calls
    # A stop after a call equals a stop before the next; after the last call nothing is left to stop.
    for at in range(1, calls + 1):
        with archive_with(2) as (site, segments):
            site.hold(segments[:1])
            with pytest.raises(Stopped):
                site.dispose(Fuse(left=at))
            site.dispose()
            assert end_state(site) == expected, f"call {at}"
            for entry in list(site.site.ledger.heads(KIND)):
                actions = [e.action for e in site.site.ledger.history(KIND, entry.id)]
                assert actions.count("disposition.done") == 1
            told = {(g.camera, g.span) for g in all_disposed(site.site.ledger, site.site.stores.records)}
            assert told == {(g.camera, g.span) for c in ("cam-1", "cam-2") for g in gaps(site, c)}


acts = st.tuples(
    st.integers(0, 45), st.sampled_from(["hold", "lock", "lengthen", "ingest"]), st.integers(0, 5)
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(acts, max_size=4),
    st.integers(0, 45),
    st.sets(st.integers(0, 5), max_size=3),
    st.lists(st.integers(0, 30), max_size=2),
)
def test_held_locked_or_not_due_footage_stays_whatever_happens_meanwhile(
    meanwhile: list[tuple[int, str, int]], stop: int, held_before: set[int], advances: list[int]
) -> None:
    with archive_with(3) as (site, segments):
        must_stay: set[str] = set()

        def hold(number: int) -> None:
            if segments[number].key in site.stored():
                site.hold([segments[number]])
                must_stay.add(segments[number].key)

        def lock(number: int) -> None:
            key = segments[number].key
            if key in site.stored():
                until = site.site.clock.now() + 200 * DAY
                site.footage.extend_lock(
                    key, Lock(LockMode.GOVERNANCE, until), version=site.footage.head(key).version
                )
                must_stay.add(key)

        def ingest(number: int) -> None:
            must_stay.add(site.site.keep(MAX_DAYS * 8640 + number).key)

        def lengthen(number: int) -> None:
            # A segment that a running batch has decided may still go; one that exists while no batch runs
            # must stay.
            site.policy(scope="camera:cam-2", least=100, longest=200 + number)

        happenings = {"hold": hold, "lock": lock, "ingest": ingest, "lengthen": lengthen}
        for number in held_before:
            hold(number)
        pending = sorted(meanwhile)

        def others(call: int) -> None:
            while pending and pending[0][0] <= call:
                _, act, number = pending.pop(0)
                happenings[act](number)

        fuse = Fuse(left=stop, before_each=others)
        try:
            site.dispose(fuse)
        except Stopped:
            pass
        for hours in advances:
            site.site.clock.advance(hours * HOUR)
            site.dispose()
        site.dispose()
        assert must_stay <= site.stored()
        assert site.stored() == site.indexed("cam-1") | site.indexed("cam-2")
        for entry in site.site.ledger.heads(KIND):
            assert from_state(entry.id, entry.state).status is DispositionStatus.STAMPED
        assert not list(site.site.ledger.heads("integrity_incident"))


def test_what_was_destroyed_before_a_crash_is_not_called_kept_by_a_later_hold() -> None:
    with archive_with(2) as (site, segments):
        stop = Fuse()

        def when_destroyed(_call: int) -> None:
            if not site.stored():
                raise Stopped

        stop.before_each = when_destroyed
        with pytest.raises(Stopped):
            site.dispose(stop)
        site.hold(segments[:1], flag=False)
        site.dispose()
        (entry,) = site.site.ledger.heads(KIND)
        outcome = from_state(entry.id, entry.state).outcome
        assert outcome is not None
        assert (outcome.destroyed, dict(outcome.kept)) == (4, {})
        assert site.indexed("cam-1") | site.indexed("cam-2") == set()


def test_a_lengthened_policy_keeps_what_no_batch_has_taken_yet() -> None:
    with archive_with(3) as (site, segments):
        disposer = site.disposer()
        begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
        assert begun is not None
        site.policy(scope="camera:cam-2", least=100, longest=200)
        disposer.carry_out(begun)
        assert site.stored() == {one.key for one in segments if one.camera == "cam-2"}
