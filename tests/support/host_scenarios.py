"""What befalls hosts, and what each leaves behind: one function for each scenario of the bed of hosts."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from archive.timespan import SECOND, Timespan
from recorder.placement import fleet
from recorder.placement.membership import TTL
from tests.support.host_bed import FPS, GOP, LOOP_S, SEGMENT_S, Bed
from tests.support.host_frames import Seen, seen
from tests.support.waiting import until

DEATH_S = TTL + GOP / FPS + 1
"""The most seconds of footage that a death may cost once the dead host's disk is back."""
LAG_S = 5
"""What the upload of a closed segment may take here."""
ETCD = ("etcd-1", "etcd-2", "etcd-3")
SERVICES = ("store", "index", "cameras", *ETCD)
_MARGIN = 6 * SECOND


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a scenario: what was seen of each camera, who may miss how much, and who moved."""

    scenario: str
    part: str
    span: Timespan
    seen: tuple[Seen, ...]
    struck: frozenset[str]
    allowed_s: float
    moved: int
    allowed_moves: float
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def missed_s(self) -> dict[str, float]:
        """Seconds missed of each camera."""
        return {one.camera: one.missed / FPS for one in self.seen}


@dataclass
class Run:
    """Goes through scenarios on one bed and keeps the windows.

    ``pause_s``: how long a link stays cut where no state says that it was long enough.
    """

    bed: Bed
    say: Callable[[str], None]
    pause_s: float = 15.0
    windows: list[Window] = field(default_factory=list)
    _mark: int = 0

    def rest(self) -> None:
        """Nothing changes for a while."""
        time.sleep(self.pause_s)  # real time: how long a link stays cut is the subject

    def begin(self) -> dict[str, str]:
        """Everybody records; a window begins now."""
        found = self.bed.settled(self.bed.alive, self.bed.now())
        self._mark = self.bed.now()
        return found

    def note(
        self,
        scenario: str,
        part: str,
        before: Mapping[str, str],
        after: Mapping[str, str],
        *,
        struck: frozenset[str] = frozenset(),
        allowed_s: float = 0,
        moves: int = 0,
    ) -> None:
        """The window ends now: all that was recorded in it is archived, and looked at."""
        bed, until_now = self.bed, self.bed.now()
        bed.archived_beyond(until_now)
        span = Timespan(self._mark - _MARGIN, until_now)
        self._mark = until_now
        found = tuple(seen(bed.site, camera, span, LOOP_S * FPS) for camera in bed.cameras)
        window = Window(
            scenario, part, span, found, struck, allowed_s,
            sum(before[camera] != after[camera] for camera in bed.cameras),
            moves + 0.05 * len(bed.cameras) if moves else 0,
        )  # fmt: skip
        self.windows.append(window)
        lost = {camera: value for camera, value in window.missed_s().items() if value}
        twice = sum(one.repeated for one in found)
        joined, unjoined = sum(one.joined for one in found), sum(one.unjoined for one in found)
        self.say(
            f"{scenario:24} {part:10} {span.duration / SECOND:5.1f} s  moved {window.moved}  missed {lost}"
            f"  repeated {twice}  joined {joined}, not {unjoined}"
            f"  unknown {sum(one.unknown for one in found)}  load {window.load:.0f}"
        )


def of_host(assigned: Mapping[str, str], host: str) -> frozenset[str]:
    """Its cameras."""
    return frozenset(camera for camera, one in assigned.items() if one == host)


def busiest(assigned: Mapping[str, str]) -> str:
    """The host with most cameras."""
    return max(sorted(set(assigned.values())), key=lambda host: len(of_host(assigned, host)))


def killed(run: Run) -> None:
    """A host loses its power, is replaced, and comes back with its disk."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    its = of_host(before, host)
    bed.hosts[host].kill()
    after = bed.settled(bed.alive, bed.now())
    bed.start(host)
    since = bed.now()
    until(lambda: bed.settled(bed.alive, since) == before, f"{host} has its own cameras again")
    run.note("power lost", "and back", before, after, struck=its, allowed_s=DEATH_S, moves=len(its))


def stopped(run: Run) -> None:
    """A host stands still, is replaced, and goes on as if nothing had been."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    its = of_host(before, host)
    bed.hosts[host].send(signal.SIGSTOP)
    stood = bed.hosts[host].process
    bed.hosts[host].process = None
    after = bed.settled(bed.alive, bed.now())
    bed.hosts[host].process = stood
    bed.hosts[host].send(signal.SIGCONT)
    bed.settled(bed.alive, bed.now())
    run.note("stood still", "and on", before, after, struck=its, allowed_s=DEATH_S, moves=len(its))


def cut_from_etcd(run: Run) -> None:
    """A host and its successors record side by side."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    its = of_host(before, host)
    bed.net.cut([host], ETCD)
    since = bed.now()
    until(
        lambda: all(len(bed.recorded_by(since)[camera]) == 2 for camera in its),
        "its cameras are recorded twice", seconds=120, every=0.5,
    )  # fmt: skip
    both = bed.recorded_by(since)
    bed.net.heal()
    bed.settled(bed.alive, bed.now())
    after = {camera: min(both[camera] - {host}, default=host) for camera in bed.cameras}
    run.note("host – etcd", "cut", before, after, moves=len(its))


def _cut(service: str) -> Callable[[Run], None]:
    def scenario(run: Run) -> None:
        bed, before = run.bed, run.begin()
        host = busiest(before)
        bed.net.cut([host], [service])
        began = bed.now()
        run.rest()
        bed.net.heal()
        length = (bed.now() - began) / SECOND
        after = bed.settled(bed.alive, bed.now())
        is_blind = service == "cameras"
        run.note(
            f"host – {service}", "cut", before, after,
            struck=of_host(before, host) if is_blind else frozenset(),
            allowed_s=length + DEATH_S if is_blind else 0,
        )  # fmt: skip

    return scenario


def cut_from_all(run: Run) -> None:
    """A host's cable is pulled, and put back."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    its = of_host(before, host)
    others = bed.alive - {host}
    bed.net.cut([host], SERVICES)
    alone, bed.hosts[host].process = bed.hosts[host].process, None
    after = bed.settled(others, bed.now())
    bed.hosts[host].process = alone
    bed.net.heal()
    bed.settled(bed.alive, bed.now())
    run.note("host – everything", "cut", before, after, struck=its, allowed_s=DEATH_S, moves=len(its))


def cut_minority(run: Run) -> None:
    """One node of etcd is alone; hosts still reach it."""
    bed, before = run.bed, run.begin()
    bed.net.cut(ETCD[:1], ETCD[1:])
    run.rest()
    during = bed.settled(bed.alive, bed.now())
    bed.net.heal()
    bed.etcd_answers(*ETCD)
    after = bed.settled(bed.alive, bed.now())
    run.note("etcd – etcd", "cut", before, during if during != before else after)


def lost_quorum(run: Run) -> None:
    """Two of three nodes of etcd die, and come back."""
    bed, before = run.bed, run.begin()
    bed.kill_etcd(*ETCD[:2])
    run.rest()
    during = bed.settled(bed.alive, bed.now())
    bed.start_etcd(*ETCD[:2])
    bed.etcd_answers(*ETCD)
    run.rest()
    after = bed.settled(bed.alive, bed.now())
    run.note("quorum lost", "and back", before, during if during != before else after)


def drained(run: Run) -> None:
    """A host is drained, and gets its cameras back."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    fleet.drain(bed.site.ledger, host, actor="os:tester", reason="a new disk")
    after = bed.settled(bed.alive - {host}, bed.now())
    fleet.undrain(bed.site.ledger, host, actor="os:tester", reason="it has one")
    bed.settled(bed.alive, bed.now())
    run.note("drained", "and back", before, after, moves=len(of_host(before, host)))


def updated(run: Run) -> None:
    """Every host in turn is drained, its recorder begun anew, and given its cameras back."""
    bed = run.bed
    for host in sorted(bed.alive):
        before = run.begin()
        fleet.drain(bed.site.ledger, host, actor="os:tester", reason="an update")
        after = bed.settled(bed.alive - {host}, bed.now())
        assert bed.hosts[host].stop() == 0
        bed.start(host)
        fleet.undrain(bed.site.ledger, host, actor="os:tester", reason="it is updated")
        bed.settled(bed.alive, bed.now())
        run.note("update of all", host, before, after, moves=len(of_host(before, host)))


def disk_lost(run: Run) -> None:
    """A host dies and its disk with it. It stays dead."""
    bed, before = run.bed, run.begin()
    host = busiest(before)
    its = of_host(before, host)
    bed.hosts[host].kill()
    bed.hosts[host].erase()
    after = bed.settled(bed.alive, bed.now())
    run.note(
        "disk lost", "for ever", before, after,
        struck=its, allowed_s=DEATH_S + SEGMENT_S + LAG_S, moves=len(its),
    )  # fmt: skip


SCENARIOS: Mapping[str, Callable[[Run], None]] = {
    "killed": killed,
    "stopped": stopped,
    "etcd": cut_from_etcd,
    "store": _cut("store"),
    "index": _cut("index"),
    "cameras": _cut("cameras"),
    "everything": cut_from_all,
    "minority": cut_minority,
    "quorum": lost_quorum,
    "drained": drained,
    "updated": updated,
    "disk": disk_lost,
}
"""In this order."""
LAST = "disk"
"""Leaves a host dead, so nothing comes after it."""


def breaches(run: Run) -> Iterator[str]:
    """What a window shows that must not be."""
    for window in run.windows:
        for one in window.seen:
            place = f"{window.scenario} ({window.part}), {one.camera}"
            allowed = window.allowed_s if one.camera in window.struck else 0
            if one.missed / FPS > allowed:
                yield f"{place}: {one.missed / FPS:g} s missed, {allowed:g} s allowed"
            if one.repeated and not one.unjoined:
                yield f"{place}: {one.repeated} frames repeated"
            if one.damaged:
                yield f"{place}: {one.damaged} damaged frames"
            if one.unknown:
                yield f"{place}: {one.unknown} stretches that nothing explains"
        if window.moved > window.allowed_moves:
            yield f"{window.scenario} ({window.part}): {window.moved} cameras moved"
