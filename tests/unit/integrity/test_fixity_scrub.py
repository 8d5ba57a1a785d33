"""The scrub finds every kind of damage, records it once, and reports no intact object."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Unavailable
from archive.integrity.fixity import hours
from archive.integrity.fixity.hashing import hash_all
from archive.integrity.fixity.hours import CameraHours, state_key
from archive.integrity.fixity.job import Scrub, Step
from archive.integrity.fixity.pace import Pace
from archive.integrity.fixity.status import fixity_status
from archive.model.finding import Finding
from archive.model.hold import KIND as HOLD
from archive.model.hold import Hold, to_state
from archive.model.segment import Segment
from archive.objects.filesystem.bypass import LockedDestroyer
from archive.ports import Content
from archive.records.integrity_incidents import close_integrity_incident, incidents
from archive.timespan import DAY, HOUR, SECOND, Timespan, hour_of
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import RUN, T0

WAIT = 5 * HOUR
"""After it an hour is over for long enough to be due."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.register_recorder()
    made.registry.add(camera_form(), actor="os:tester")
    yield made
    made.index.close()


def scrub_of(site: SmallArchive, found: list[Finding] | None = None, *, rate: int | None = None) -> Scrub:
    told = found if found is not None else []

    def sleep(seconds: float) -> None:
        site.clock.advance(round(seconds * SECOND))

    return Scrub(
        site.stores,
        site.ledger,
        site.clock,
        Pace(rate, site.clock, sleep),
        every=30 * DAY,
        floor_days=30,
        tell=told.append,
    )


def due(site: SmallArchive) -> tuple[list[Step], list[Finding]]:
    found: list[Finding] = []
    return list(scrub_of(site, found).due()), found


def codes(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.code, one.object) for one in found}


def path_of(tmp_path: Path, segment: Segment) -> Path:
    return tmp_path / "footage" / segment.key


def spoil(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def hold(site: SmallArchive, span: Timespan) -> None:
    placed = Hold(
        id="h-1",
        cameras=("cam-1",),
        span=span,
        case="LP/B/1",
        owner="os:owner",
        basis="KUHAP",
        review_at=site.clock.now() + DAY,
        placed_by="os:a",
        placed_at=site.clock.now(),
    )
    site.ledger.append(HOLD, placed.id, to_state(placed), expected=0, actor="os:a", action="hold.placed")


def test_an_archive_in_order_gives_no_finding_and_is_read_whole(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(3)]
    site.write_journal(segments)
    site.clock.advance(WAIT)
    steps, found = due(site)
    assert found == []
    footage = [step for step in steps if step.unit.startswith("cam-1")]
    assert sum(step.size for step in footage) == sum(segment.size for segment in segments)
    assert list(incidents(site.ledger)) == []


def test_a_flipped_byte_is_an_incident_once_and_is_not_repaired(site: SmallArchive, tmp_path: Path) -> None:
    segment = site.keep(0)
    site.write_journal([segment])
    site.clock.advance(WAIT)
    path = path_of(tmp_path, segment)
    altered = bytearray(path.read_bytes())
    altered[7] ^= 1
    spoil(path, bytes(altered))
    _, found = due(site)
    assert codes(found) == {("bytes_differ", segment.key)}
    again = list(scrub_of(site).now("cam-1"))
    assert any(step.findings for step in again)
    (incident,) = incidents(site.ledger)
    assert (incident.code, incident.subject, incident.version) == ("bytes_differ", segment.key, 1)
    assert path.read_bytes() == bytes(altered)


def test_a_replaced_object_with_a_sidecar_that_fits_is_found_by_the_journal(
    site: SmallArchive, tmp_path: Path
) -> None:
    segment = site.keep(0)
    site.write_journal([segment])
    site.clock.advance(WAIT)
    path = path_of(tmp_path, segment)
    forged = b"forged" * 100
    sidecar = path.with_name(f".{path.name}.sidecar")
    facts = sidecar.read_bytes().replace(segment.sha256.encode(), hashlib.sha256(forged).hexdigest().encode())
    facts = facts.replace(f'"size":{segment.size}'.encode(), f'"size":{len(forged)}'.encode())
    facts = facts.replace(f'\\"size\\":{segment.size}'.encode(), f'\\"size\\":{len(forged)}'.encode())
    spoil(path, forged)
    spoil(sidecar, facts)
    _, found = due(site)
    assert {"bytes_differ", "size_differs"} <= {one.code for one in found}


def test_a_lost_segment_is_an_incident_unless_a_disposition_names_it(
    site: SmallArchive, tmp_path: Path
) -> None:
    lost, kept = site.keep(0), site.keep(1)
    site.write_journal([lost, kept])
    site.clock.advance(WAIT)
    LockedDestroyer(tmp_path / "footage", site.clock).destroy(lost.key, version=lost.sha256)
    _, found = due(site)
    assert codes(found) == {("segment_missing", lost.key)}


def test_a_second_batch_that_comes_late_makes_its_hour_due_again(site: SmallArchive, tmp_path: Path) -> None:
    first, late = site.keep(0), site.keep(1)
    site.write_journal([first])
    site.clock.advance(WAIT)
    assert due(site)[1] == []
    LockedDestroyer(tmp_path / "footage", site.clock).destroy(late.key, version=late.sha256)
    site.write_journal([late])
    site.clock.advance(WAIT)
    _, found = due(site)
    assert codes(found) == {("segment_missing", late.key)}


def test_a_lock_that_was_cleared_or_cut_is_found(site: SmallArchive, tmp_path: Path) -> None:
    cleared, cut = site.keep(0), site.keep(1)
    site.write_journal([cleared, cut])
    site.clock.advance(WAIT)
    for segment, until in ((cleared, None), (cut, T0 + 3 * DAY)):
        sidecar = path_of(tmp_path, segment).with_name(f".{segment.key.rpartition('/')[2]}.sidecar")
        lock = b"null" if until is None else b'{"mode":"GOVERNANCE","until":%d}' % until
        before = sidecar.read_bytes()
        at = before.index(b'"lock":') + 7
        end = before.index(b"}", at) + 1
        spoil(sidecar, before[:at] + lock + before[end:])
    _, found = due(site)
    assert codes(found) == {("lock_missing", cleared.key), ("lock_short", cut.key)}


def test_a_held_segment_without_its_flag_is_an_incident_after_the_grace(site: SmallArchive) -> None:
    segment = site.keep(0)
    site.write_journal([segment])
    site.clock.advance(WAIT)
    hold(site, Timespan(T0, T0 + SECOND))
    (step,) = scrub_of(site).now("cam-1")
    assert step.findings == ()
    site.clock.advance(2 * HOUR)
    (step,) = scrub_of(site).now("cam-1")
    assert [one.code for one in step.findings] == ["hold_missing"]
    site.stores.footage.place_hold(segment.key, version=segment.sha256)
    (step,) = scrub_of(site).now("cam-1")
    assert step.findings == ()


def test_a_segment_that_no_journal_names_is_read_too(site: SmallArchive, tmp_path: Path) -> None:
    orphan = site.keep(0)
    site.clock.advance(WAIT)
    spoil(path_of(tmp_path, orphan), b"x" * orphan.size)
    _, found = due(site)
    assert codes(found) == {("bytes_differ", orphan.key)}


def test_an_altered_journal_is_told_and_not_believed(site: SmallArchive, tmp_path: Path) -> None:
    segment = site.keep(0)
    key = site.write_journal([segment])
    path = tmp_path / "records" / key
    sidecar = path.with_name(f".{path.name}.sidecar")
    forged = path.read_bytes().replace(b'"seq":0', b'"seq":1', 1)
    digest = hashlib.sha256(path.read_bytes()).hexdigest().encode()
    spoil(sidecar, sidecar.read_bytes().replace(digest, hashlib.sha256(forged).hexdigest().encode()))
    spoil(path, forged)
    site.clock.advance(WAIT)
    _, found = due(site)
    assert {one.code for one in found if one.object == key} <= {"journal_signature", "bad_leaf"}
    assert any(one.object == key for one in found)


def test_held_hours_come_first_then_those_looked_at_longest_ago(site: SmallArchive) -> None:
    hour = hour_of(T0)
    segments = [replace_start(site, number, hour + number * HOUR + 60 * SECOND) for number in range(3)]
    site.write_journal(segments)
    site.clock.advance(WAIT + 3 * HOUR)
    hold(site, Timespan(segments[2].span.start, segments[2].span.end))
    steps, _ = due(site)
    order = list(dict.fromkeys(step.unit for step in steps if step.unit.startswith("cam-1")))
    assert order == [f"cam-1 2026/11/24/{hours_:02d}" for hours_ in (8, 6, 7)]


def replace_start(site: SmallArchive, number: int, start: int) -> Segment:
    """A segment at another time than :meth:`SmallArchive.keep` gives it."""
    from archive.model import leaf as leaves
    from archive.ports import IndexEntry, Lock, LockMode

    body = f"{number}/{start}".encode() * 30
    made = replace(
        site.keep(number, run="6a1500000000000" + str(number)),
        run=RUN,
        seq=number,
        span=Timespan(start, start + 10 * SECOND),
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
    )
    stored = site.stores.footage.put(
        made.key,
        Content.of_bytes(body),
        metadata={"leaf": leaves.encode(made).decode("ascii")},
        lock=Lock(LockMode.GOVERNANCE, start + 30 * DAY),
    )
    site.index.add([IndexEntry(leaf=made, place=None, version=stored.version)])
    return made


def test_what_was_looked_at_is_left_alone_until_the_round_is_over(site: SmallArchive) -> None:
    site.write_journal([site.keep(0)])
    site.clock.advance(WAIT)
    assert due(site)[0] != []
    assert due(site)[0] == []
    site.clock.advance(31 * DAY)
    assert [step for step in due(site)[0] if step.unit.startswith("cam-1")] != []


def test_a_unit_that_was_cut_short_is_repeated_whole(site: SmallArchive) -> None:
    site.write_journal([site.keep(number) for number in range(4)])
    site.clock.advance(WAIT)
    walk = scrub_of(site).due()
    seen = 0
    for step in walk:
        seen += step.unit.startswith("cam-1")
        if seen == 2:
            break
    walk.close()
    steps, _ = due(site)
    assert len([step for step in steps if step.unit.startswith("cam-1")]) == 4


def test_losing_the_state_only_repeats_the_work(site: SmallArchive) -> None:
    site.write_journal([site.keep(0)])
    site.clock.advance(WAIT)
    due(site)
    for one in list(site.stores.cache.list("fixity/")):
        site.stores.cache.delete_version(one.key, version=one.version)
    steps, found = due(site)
    assert [step for step in steps if step.unit.startswith("cam-1")] != []
    assert found == []


def test_a_damaged_state_is_passed_over_for_the_one_before(site: SmallArchive) -> None:
    known = CameraHours("cam-1")
    known.learn(hour_of(T0), "2026/11/24/06")
    known.save(site.stores.cache, T0)
    site.stores.cache.put(state_key("hours/cam-1", T0 + 5), Content.of_bytes(b"torn"))
    again = CameraHours.load(site.stores.cache, "cam-1")
    assert again.hours == known.hours
    again.save(site.stores.cache, T0 + 1)
    assert len(list(site.stores.cache.list(f"{hours.FOLDER}hours/cam-1/"))) == 1


def test_a_store_that_is_away_is_no_finding(site: SmallArchive) -> None:
    class Away(type(site.stores.footage)):  # type: ignore[misc]
        def head(self, key: str, *, version: str | None = None) -> object:
            raise Unavailable("away", code="store_unavailable")

    site.write_journal([site.keep(0)])
    site.clock.advance(WAIT)
    away = Away.__new__(Away)
    away.__dict__.update(site.stores.footage.__dict__)
    site.stores = replace(site.stores, footage=away)
    with pytest.raises(Unavailable):
        due(site)
    assert list(incidents(site.ledger)) == []


def test_the_budget_is_kept_by_the_clock(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(8)]
    site.write_journal(segments)
    site.clock.advance(WAIT)
    scrub = scrub_of(site, rate=100)
    before = site.clock.monotonic()
    size = sum(step.size for step in scrub.now("cam-1"))
    elapsed = (site.clock.monotonic() - before) / SECOND
    assert size / 100 - 2.1 <= elapsed


def test_a_closed_incident_opens_again_when_the_damage_is_still_there(
    site: SmallArchive, tmp_path: Path
) -> None:
    segment = site.keep(0)
    site.write_journal([segment])
    site.clock.advance(WAIT)
    spoil(path_of(tmp_path, segment), b"x" * segment.size)
    list(scrub_of(site).now("cam-1"))
    (incident,) = incidents(site.ledger)
    close_integrity_incident(site.ledger, incident.id, actor="os:a", reason="restored")
    list(scrub_of(site).now("cam-1"))
    (incident,) = incidents(site.ledger)
    assert (incident.status, incident.version) == ("open", 3)


def test_coverage_is_told_per_camera(site: SmallArchive) -> None:
    site.write_journal([site.keep(0)])
    site.clock.advance(WAIT)
    assert fixity_status(site.stores.cache, site.clock, days=30).hours == 0
    due(site)
    told = fixity_status(site.stores.cache, site.clock, days=30)
    assert (told.percent, told.hours, told.cameras[0].camera) == (100, 1, "cam-1")
    assert told.oldest is not None
    site.clock.advance(31 * DAY)
    assert fixity_status(site.stores.cache, site.clock, days=30).percent == 0


def test_a_lost_attachment_byte_and_what_is_beside_a_record(site: SmallArchive, tmp_path: Path) -> None:
    body = b"letter"
    name = f"attachments/{hashlib.sha256(body).hexdigest()}"
    site.stores.records.put(name, Content.of_bytes(body))
    assert due(site)[1] == []
    site.clock.advance(31 * DAY)
    spoil(tmp_path / "records" / name, b"lettre")
    _, found = due(site)
    assert ("bytes_differ", name) in codes(found)


def test_many_objects_are_hashed_in_order_with_and_without_threads(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(12)]
    versions = list(site.stores.footage.list("segments/"))
    pace = Pace(None, site.clock, lambda seconds: None)
    alone = [one.sha256 for one in hash_all(site.stores.footage, versions, pace, None)]
    with ThreadPoolExecutor(3) as pool:
        together = [one.sha256 for one in hash_all(site.stores.footage, versions, pace, pool)]
    assert alone == together == [segment.sha256 for segment in segments]
