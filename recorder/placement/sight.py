"""Which hosts are taken to live: what the membership says, with patience where it may be wrong. Pure.

A host that is missing from an answer is dead, with two exceptions. While nobody answers, nothing is known, so
everybody lives who lived before. And in the first seconds after that, or after this process began, hosts may
not have joined again yet: who is missing then counts as dead only when the time to join has passed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from archive.timespan import SECOND
from recorder.placement.membership import BEAT, TTL

SETTLING = round((TTL + 2 * BEAT) * SECOND)
"""How long hosts have to join (again): until the lease they may still have is over, and two beats."""


@dataclass(slots=True)
class Sight:
    """The hosts that are taken to live. Times in µs of a clock that never goes back.

    ``believed`` are those of before: kept by an earlier process or, if none was, all registered hosts.
    """

    name: str
    believed: frozenset[str]
    _since: int | None = field(default=None)
    _answered: bool = field(default=False)

    @property
    def is_settled(self) -> bool:
        """Whether the last answer counts as it is."""
        return self._answered and self._since is None

    def saw(self, members: Collection[str], now: int) -> frozenset[str]:
        """The membership answered; returns the hosts that are taken to live."""
        if not self._answered:
            self._answered, self._since = True, now
        if self._since is not None and now - self._since >= SETTLING:
            self._since = None
        seen = frozenset(members) | {self.name}
        self.believed = seen if self._since is None else self.believed | seen
        return self.believed

    def saw_nothing(self) -> frozenset[str]:
        """The membership did not answer; returns the hosts that are taken to live."""
        self._answered = False
        self.believed |= {self.name}
        return self.believed
