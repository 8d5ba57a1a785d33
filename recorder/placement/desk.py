"""Where a recorder asks which cameras are its own.

A desk of one host has no server and gives every camera (:class:`Everything`). One of many keeps the
membership, and what it last knew in the spool, so that a start without etcd records the same cameras as
before.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.model.camera import Camera
from archive.records.heartbeat import Beat
from recorder.placement.assignment import Assigner, Host
from recorder.placement.duties import Duties, Proven, Witnesses, duties
from recorder.placement.membership import GLANCE, Membership
from recorder.placement.sight import Sight

_KEPT = "placement.json"


class Keeper(Protocol):
    """Where small things outlive the process: the spool."""

    def keep(self, name: str, value: JsonObject) -> None:
        """Keep a value durably."""
        ...

    def kept(self, name: str) -> JsonObject | None:
        """The value; None if there is none or the disk damaged it."""
        ...


class Log(Protocol):
    """The part of a logger that the desk uses."""

    def warning(self, event: str, **facts: object) -> object:
        """Note what a person should know."""
        ...


class PlacementDesk(Protocol):
    """Says which cameras a recorder records.

    ``is_shared`` says whether other recorders may record the same cameras at other times, ``glance`` how
    often (s) :meth:`has_moved` is worth asking; None where there is nobody to look for.
    """

    @property
    def is_shared(self) -> bool:
        """As above."""
        ...

    @property
    def glance(self) -> float | None:
        """As above."""
        ...

    def look(self, cameras: Collection[Camera], recording: Collection[str]) -> Duties:
        """What the recorder does now about these cameras, of which it records some. Raises as the spool."""
        ...

    def has_moved(self) -> bool:
        """Whether other recorders live than at the last look; cheap, and raises nothing."""
        ...

    def beat(self) -> None:
        """Stay among the recorders. Raises nothing: recording goes on as it is."""
        ...

    def leave(self) -> None:
        """The recorder stops: let others take over. Raises nothing."""
        ...


class Everything:
    """The desk of a recorder without others to ask: all cameras are its own.

    ``others`` says whether further recorders are registered: then one of them may have recorded the cameras
    while this one was off, such as the one that takes its place in an upgrade.
    """

    glance = None

    def __init__(self, others: Callable[[], bool] = lambda: False) -> None:
        self._others: Callable[[], bool] | None = others
        self.is_shared = False

    def look(self, cameras: Collection[Camera], recording: Collection[str]) -> Duties:
        """Every camera, and nothing else."""
        return Duties(frozenset(camera.id for camera in cameras))

    def has_moved(self) -> bool:
        """Never."""
        return False

    def beat(self) -> None:
        """Look once whether there are others; if the ledger cannot be read, there are none."""
        if self._others is not None:
            with suppress(ArchiveError):
                self.is_shared = self._others()
            self._others = None

    def leave(self) -> None:
        """Nothing to do."""


class Desk:
    """The desk of one of many hosts. Each call may block for some seconds.

    One thread at a time may call :meth:`look`; the others may be called meanwhile. A beat waits for no look,
    which may wait for servers that hang.
    ``hosts`` reads the registered hosts, ``beats`` the heartbeats of all of them.
    """

    is_shared = True
    glance = GLANCE

    def __init__(
        self,
        name: str,
        membership: Membership,
        *,
        hosts: Callable[[], Iterable[Host]],
        beats: Callable[[], Collection[Beat]],
        keeper: Keeper,
        clock: Clock,
        log: Log,
    ) -> None:
        self._name = name
        self._membership = membership
        self._read_hosts = hosts
        self._read_beats = beats
        self._keeper = keeper
        self._clock = clock
        self._log = log
        self._assigner = Assigner()
        self._sight: Sight | None = None
        self._proven = Proven()
        self._hosts: tuple[Host, ...] = ()
        self._kept: JsonObject = {}
        self._is_blind = self._has_left = False
        self._members: frozenset[str] | None = None
        self._looking, self._staying = threading.Lock(), threading.Lock()

    def has_moved(self) -> bool:
        """Whether the members are others than at the last look. While etcd is away nobody moves."""
        if self._is_blind or self._members is None:
            return False
        try:
            with self._looking:
                return self._membership.members() != self._members
        except ArchiveError as error:
            self._tell_blind(error)
            return False

    def beat(self) -> None:
        """Stay a member, unless this one left. Losing etcd is no error here: recording goes on as it is."""
        try:
            with self._staying:
                if not self._has_left:
                    self._membership.beat()
        except ArchiveError as error:
            self._tell_blind(error)

    def leave(self) -> None:
        """Be no member any more, so that others take over at once; if etcd is away, after its time."""
        try:
            with self._staying:
                self._has_left = True
                self._membership.leave()
        except ArchiveError as error:
            self._tell_blind(error)

    def look(self, cameras: Collection[Camera], recording: Collection[str]) -> Duties:
        """What this host does now, given all cameras and those that it records. Raises as the spool."""
        hosts = self._known_hosts()
        live = self._live(hosts)
        districts = {camera.id: camera.place.kecamatan for camera in cameras}
        assigned = self._assigner.assign(hosts, live, districts)
        self._keep(hosts, live)
        self._proven.saw(live)
        return duties(self._name, assigned, recording, live, self._witnesses(assigned, recording))

    def _known_hosts(self) -> tuple[Host, ...]:
        """All registered hosts, this one among them; those known before if the ledger cannot be read."""
        if not self._kept:
            self._kept = self._keeper.kept(_KEPT) or {}
            self._hosts = tuple(_hosts_of(self._kept))
        try:
            self._hosts = tuple(self._read_hosts())
        except ArchiveError as error:
            self._log.warning("hosts_from_memory", code=error.code, reason=error.message)
        if not any(host.name == self._name for host in self._hosts):
            self._hosts += (Host(self._name),)
        return self._hosts

    def _live(self, hosts: Iterable[Host]) -> frozenset[str]:
        if self._sight is None:
            before = self._kept.get("live")
            everyone = [host.name for host in hosts]
            self._sight = Sight(self._name, frozenset(before if isinstance(before, list) else everyone))
        try:
            with self._looking:
                members = self._membership.members()
        except ArchiveError as error:
            self._tell_blind(error)
            return self._sight.saw_nothing()
        self._is_blind = False
        self._members = members
        return self._sight.saw(members, self._clock.monotonic())

    def _witnesses(self, assigned: Mapping[str, str], recording: Collection[str]) -> Witnesses:
        """The heartbeats, if anything depends on them: a camera that we should leave."""
        if all(assigned.get(camera) == self._name for camera in recording):
            return Witnesses((), 0)
        try:
            beats = self._proven.of(self._read_beats(), self._clock.monotonic())
            return Witnesses(beats, self._clock.now())
        except ArchiveError as error:
            self._log.warning("heartbeats_unread", code=error.code, reason=error.message)
            return Witnesses((), 0)

    def _keep(self, hosts: Iterable[Host], live: Collection[str]) -> None:
        kept: JsonObject = {
            "hosts": [
                {
                    "name": host.name,
                    "weight": host.weight,
                    "districts": sorted(host.districts),
                    "drained": int(host.is_drained),
                }
                for host in sorted(hosts, key=lambda host: host.name)
            ],
            "live": sorted(live),
        }
        if kept != self._kept:
            try:
                self._keeper.keep(_KEPT, kept)
            except ArchiveError as error:
                self._log.warning("placement_not_kept", code=error.code, reason=error.message)
                return
            self._kept = kept

    def _tell_blind(self, error: ArchiveError) -> None:
        """Log once that etcd is away."""
        if not self._is_blind:
            self._is_blind = True
            self._log.warning("membership_away", code=error.code, reason=error.message)


def _hosts_of(kept: JsonObject) -> Iterable[Host]:
    """The hosts that an earlier look kept."""
    for one in kept.get("hosts", ()):
        yield Host(one["name"], one["weight"], frozenset(one["districts"]), bool(one["drained"]))
