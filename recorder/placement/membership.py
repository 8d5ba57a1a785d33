"""Which recorders live: the port, and its adapter for a host that is alone."""

from typing import Protocol

TTL = 5
"""Seconds after which everybody knows that a host that says nothing is no longer a member."""
LEASE = 4
"""Seconds that a beat counts. The server notices the end of a lease within half a second, and others look
each :data:`GLANCE`."""
BEAT = 1.2
"""Seconds from one beat to the next: two may be lost."""
GLANCE = 0.3
"""Seconds from one look at the members to the next: a dead host's cameras wait for it."""


class Membership(Protocol):
    """The hosts that live now, this one among them. Each call may block for some seconds.

    One thread at a time may call :meth:`members`, and one the others: a look never delays a beat.

    Every method raises Unavailable ``membership_unreachable`` if no server answers or they have no quorum.
    That says nothing about any host: what was known before still stands.
    """

    def join(self) -> None:
        """Be a member from now on. Takes the place of an earlier process of this name, dead or alive."""
        ...

    def beat(self) -> None:
        """Stay a member for another :data:`LEASE` seconds; join again if the membership was lost."""
        ...

    def members(self) -> frozenset[str]:
        """The names of all members, as a majority of the servers knows them now."""
        ...

    def leave(self) -> None:
        """Be no member any more. Nothing happens if this host is none."""
        ...


class Alone:
    """The membership of a host that has no others: it needs no server and never fails."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_member = False

    def join(self) -> None:
        """Be the member."""
        self._is_member = True

    def beat(self) -> None:
        """Be the member, also after :meth:`leave`."""
        self._is_member = True

    def members(self) -> frozenset[str]:
        """This host, if it joined."""
        return frozenset((self._name,) if self._is_member else ())

    def leave(self) -> None:
        """Be no member."""
        self._is_member = False
