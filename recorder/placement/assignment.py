"""Which host records which camera: a pure function of the hosts, of those that live, and of the cameras.

Each camera has a *home* among all registered hosts, which does not depend on who lives. So a death moves only
the cameras of the dead host. Cameras whose home is dead or drained are *guests* of other hosts until it is
back. Both come from weighted rendezvous hashing with a bound: each camera ranks all hosts by a hash of the
two names, and takes the first one that has room. Hosts of the camera's district come first for a home, and
are preferred for a guest.

Nothing is remembered from one call to the next except ranks, which follow from the names. Hosts that know the
same hosts and cameras therefore come to the same assignment without asking one another.
"""

import hashlib
import math
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

DEFAULT_WEIGHT = 100
SLACK_PERCENT = 25
"""How much more than its share a host may record."""
_HOME_SLACK_PERCENT = 12
"""The same for homes: half of it, so that there is room for guests."""
_NEIGHBOUR = 2
"""How many times as likely a guest goes to a host of its camera's district as to another."""
_HASHES = 1 << 64


@dataclass(frozen=True, slots=True)
class Host:
    """One recorder. ``weight`` is its capacity relative to others'; with 0 it is no camera's home.

    ``districts`` are the codes of those whose cameras it should record, if it can; empty: of all. A drained
    host keeps its homes and records nothing, as long as another can.
    """

    name: str
    weight: int = DEFAULT_WEIGHT
    districts: frozenset[str] = frozenset()
    is_drained: bool = False

    def distance(self, district: str) -> int:
        """0 if it is to record this district, 1 if any, 2 if others."""
        if district in self.districts:
            return 0
        return 2 if self.districts else 1


def bound(cameras: int, weight: int, total: int, slack_percent: int = SLACK_PERCENT) -> int:
    """Most cameras that a host of this weight gets, if all hosts that record have ``total`` together."""
    return -(-cameras * weight * (100 + slack_percent) // (100 * total))


class Assigner:
    """Assigns cameras to hosts. Keeps ranks between calls, so that a call after a change costs little.

    Not thread-safe.
    """

    def __init__(self) -> None:
        self._hosts: tuple[Host, ...] = ()
        self._cameras: Mapping[str, str] = {}
        self._ranks: dict[str, tuple[str, Sequence[int], Sequence[int]]] = {}
        self._homes: dict[str, int] = {}
        self._turns: dict[str, bytes] = {}

    def assign(
        self, hosts: Iterable[Host], live: Collection[str], cameras: Mapping[str, str]
    ) -> dict[str, str]:
        """The host of each camera.

        ``hosts`` are all registered ones, ``live`` the names of those that live now; others are ignored.
        ``cameras`` gives each camera's district. The answer has every camera as long as any registered host
        lives, and is empty otherwise. If none that lives may record by weight and drain, all that live do.
        """
        self._know(tuple(sorted(hosts, key=lambda host: host.name)), cameras)
        hosts_ = self._hosts
        present = [at for at, host in enumerate(hosts_) if host.name in live]
        able = [at for at in present if hosts_[at].weight > 0 and not hosts_[at].is_drained] or present
        if not able:
            return {}
        rooms = self._rooms(able, SLACK_PERCENT)
        found: dict[str, str] = {}
        guests = []
        for camera, home in self._homes.items():
            if rooms[home] == 0:
                guests.append(camera)
                continue
            rooms[home] -= 1
            found[camera] = hosts_[home].name
        for camera in guests:
            at = _first(self._ranks[camera][2], rooms)
            rooms[at] -= 1
            found[camera] = hosts_[at].name
        return found

    def homes(self, hosts: Iterable[Host], cameras: Mapping[str, str]) -> dict[str, str]:
        """The home of each camera: who records it while all live and none is drained."""
        self._know(tuple(sorted(hosts, key=lambda host: host.name)), cameras)
        return {camera: self._hosts[at].name for camera, at in self._homes.items()}

    def _know(self, hosts: tuple[Host, ...], cameras: Mapping[str, str]) -> None:
        """Rank and give homes anew where hosts or cameras changed."""
        places = [(host.name, host.weight, host.districts) for host in hosts]
        before = [(host.name, host.weight, host.districts) for host in self._hosts]
        self._hosts = hosts
        if places == before and cameras == self._cameras:
            return
        if places != before:
            self._ranks = {}
        self._cameras = dict(cameras)
        self._ranks = {
            camera: known for camera, known in self._ranks.items() if cameras.get(camera) == known[0]
        }
        states = [hashlib.blake2b(host.name.encode() + b"\0", digest_size=8) for host in hosts]
        for camera, district in cameras.items():
            if camera not in self._ranks:
                self._ranks[camera] = (district, *self._rank(camera, district, states))
        self._turns = {camera: self._turns.get(camera) or _turn(camera) for camera in cameras}
        self._homes = self._give_homes()

    def _rank(
        self, camera: str, district: str, states: Sequence["hashlib.blake2b"]
    ) -> tuple[Sequence[int], Sequence[int]]:
        """All hosts in this camera's order: for its home, and for a guest."""
        name = camera.encode()
        distances, costs = [], []
        for host, state in zip(self._hosts, states, strict=True):
            own = state.copy()
            own.update(name)
            drawn = int.from_bytes(own.digest(), "big")
            distances.append(host.distance(district))
            costs.append(-math.log((drawn + 1) / _HASHES) / (host.weight or 1))
        everyone = range(len(costs))
        if len(set(distances)) <= 1:
            only = array("H", sorted(everyone, key=costs.__getitem__))
            return only, only
        weighed = [cost * _NEIGHBOUR if far else cost for far, cost in zip(distances, costs, strict=True)]
        return (
            array("H", sorted(everyone, key=list(zip(distances, costs, strict=True)).__getitem__)),
            array("H", sorted(everyone, key=weighed.__getitem__)),
        )

    def _give_homes(self) -> dict[str, int]:
        fit = [at for at, host in enumerate(self._hosts) if host.weight > 0] or list(range(len(self._hosts)))
        if not fit:
            return {}
        rooms = self._rooms(fit, _HOME_SLACK_PERCENT)
        homes: dict[str, int] = {}
        for camera in sorted(self._turns, key=self._turns.__getitem__):
            at = _first(self._ranks[camera][1], rooms)
            rooms[at] -= 1
            homes[camera] = at
        return homes

    def _rooms(self, able: Sequence[int], slack_percent: int) -> list[int]:
        """How many cameras each host may take."""
        weights = {at: self._hosts[at].weight for at in able}
        if not any(weights.values()):
            weights = dict.fromkeys(able, 1)
        total = sum(weights.values())
        rooms = [0] * len(self._hosts)
        for at, weight in weights.items():
            rooms[at] = bound(len(self._cameras), weight, total, slack_percent)
        return rooms


def _turn(camera: str) -> bytes:
    """When it is this camera's turn to take a home: any order that does not favour a name."""
    return hashlib.blake2b(camera.encode(), digest_size=8).digest() + camera.encode()


def _first(ranked: Sequence[int], rooms: Sequence[int]) -> int:
    """The first host with room. There is one: the bounds of all together are more than the cameras."""
    return next(at for at in ranked if rooms[at] > 0)
