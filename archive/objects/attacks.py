"""The requests that an intruder with a process's own credentials could send to the store."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archive.errors import Refused
from archive.ports import Content, ObjectStore


class Bypass(StrEnum):
    """Whether the request claims the right to bypass GOVERNANCE."""

    NO = "no"
    CLAIMED = "claimed"


class NotOffered(Refused):
    """The store has no such request at all."""

    default_code = "attack_not_offered"


class Attacks(Protocol):
    """Raw requests on one bucket. Each returns if the store reports success.

    They raise ``Refused`` (``store_access_denied`` if the account has no right to try), ``Conflict`` if a key
    is taken, :class:`NotOffered`, and ``Unavailable`` if the result is unknown.
    """

    @property
    def account(self) -> str:
        """The attacking account's name on the store; a valid id."""
        ...

    def delete(self, key: str, version: str, bypass: Bypass) -> None:
        """Destroy one version."""
        ...

    def shorten_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """Replace a GOVERNANCE lock by one that ends at ``until`` (µs), sooner than the present one."""
        ...

    def clear_lock(self, key: str, version: str, bypass: Bypass) -> None:
        """Remove the lock."""
        ...

    def harden_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """Turn a GOVERNANCE lock into a COMPLIANCE lock, which nobody could end before ``until`` (µs)."""
        ...

    def overwrite(self, key: str, content: Content) -> None:
        """Put other bytes under the key, unconditionally."""
        ...

    def hide(self, key: str) -> None:
        """Delete the key without naming a version: a delete marker."""
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket to attack: its name for people, our store on it, and the raw requests."""

    name: str
    store: ObjectStore
    attacks: Attacks
