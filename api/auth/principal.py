"""Who is asking: the one value every route is handed, whatever way the caller signed in."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol


class _Everything:
    """A set that holds every action."""

    def __contains__(self, _action: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "EVERYTHING"


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone who proved who they are.

    ``id`` is the custody actor, such as ``token:first``; never a secret. ``actions`` holds the actions
    (``recordings.read``, ``clips.download``, …) that they may do; every route names exactly one.
    """

    id: str
    actions: Container[str]

    def may(self, action: str) -> bool:
        """Whether the action is theirs to do."""
        return action in self.actions


def unrestricted(principal_id: str) -> Principal:
    """A principal that may do everything: the machine token of an installation without roles."""
    return Principal(principal_id, _Everything())


class TokenVerifier(Protocol):
    """Tells whose bearer token this is."""

    def principal_of(self, token: str) -> Principal | None:
        """The holder, or None for a token nobody was given.

        Raises:
            Unavailable: ``tokens_unreadable``: the record of tokens cannot be read; nobody is let in.
        """
        ...
