"""How the cameras are spread over the recorders, and what moves: for people. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.records.heartbeat import Beat
from recorder.placement.assignment import Assigner, Host
from recorder.placement.duties import Witnesses


@dataclass(frozen=True, slots=True)
class HostLoad:
    """One recorder: how many cameras are assigned to it, how many it records, how many of those leave it.

    ``is_live`` is None if nobody can say.
    """

    host: Host
    is_live: bool | None
    assigned: int
    records: int
    leaving: int

    def to_json(self) -> JsonObject:
        """As ``--json`` prints it."""
        return {
            "recorder": self.host.name,
            "live": self.is_live,
            "weight": self.host.weight,
            "districts": sorted(self.host.districts),
            "drained": self.host.is_drained,
            "assigned": self.assigned,
            "records": self.records,
            "leaving": self.leaving,
        }


def overview(
    hosts: Collection[Host],
    live: Collection[str] | None,
    cameras: Mapping[str, str],
    beats: Iterable[Beat],
    now: int,
) -> list[HostLoad]:
    """Every registered recorder by name. ``live`` is None if the membership is not known.

    Then those that sent a heartbeat lately are taken to live.
    """
    heard = list(beats)
    witnesses = Witnesses(heard, now)
    names = {host.name for host in hosts}
    taken = names & set(live if live is not None else witnesses.hosts)
    assigned = Assigner().assign(hosts, taken, cameras)
    loads = Counter(assigned.values())
    found = []
    for host in sorted(hosts, key=lambda host: host.name):
        recorded = [camera for camera in witnesses.cameras(host.name) if camera in cameras]
        found.append(
            HostLoad(
                host,
                None if live is None else host.name in live,
                loads[host.name],
                len(recorded),
                sum(assigned.get(camera) != host.name for camera in recorded),
            )
        )
    return found
