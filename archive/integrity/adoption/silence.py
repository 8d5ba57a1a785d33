"""Which recorders have been silent for so long that nobody waits for them any more. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from archive.timespan import MINUTE

WATCHED = MINUTE
"""How long a heartbeat must stay the same before our eyes. An index that was away for hours has old ones, and
a recorder's clock may be slow: who lives sends the next within seconds."""


@dataclass(slots=True)
class Silence:
    """Heartbeats as they were seen; ``bound`` is how long (µs) a recorder may be silent."""

    bound: int
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def silent(
        self, recorders: Collection[str], heard: Mapping[str, int], now: int, monotonic: int
    ) -> list[str]:
        """The recorders that are silent at ``now``, by id.

        ``heard`` has the time of each one's last heartbeat. One without any is silent once it was looked for
        long enough: heartbeats do not outlive an index. One from the future (its recorder's clock ran ahead)
        was heard when it was seen first.
        """
        self._seen = {name: seen for name, seen in self._seen.items() if name in recorders}
        found = []
        for name in sorted(recorders):
            at = heard.get(name, 0)
            known, since = self._seen.get(name, (at, monotonic))
            if known != at:
                since = monotonic
            self._seen[name] = (at, since)
            watched = monotonic - since
            if max(now - at, watched) >= self.bound and watched >= WATCHED:
                found.append(name)
        return found
