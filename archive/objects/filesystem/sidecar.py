"""The sidecar: the store's facts about an object, as canonical JSON beside its bytes.

``.<name>.sidecar`` in the object's folder. It is written whole and renamed into place, so that a reader
finds either the old one or the new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from archive import canonical
from archive.errors import ArchiveError, IntegrityError
from archive.ids import check_sha256
from archive.ports import Lock, LockMode

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Facts of one object. ``stored_at`` and the lock's end are in microseconds."""

    key: str
    sha256: str
    size: int
    stored_at: int
    lock: Lock | None = None
    held: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The canonical bytes."""
        lock = None if self.lock is None else {"mode": self.lock.mode.value, "until": self.lock.until}
        return canonical.encode(
            {
                "v": _VERSION,
                "key": self.key,
                "sha256": self.sha256,
                "size": self.size,
                "stored_at": self.stored_at,
                "lock": lock,
                "held": self.held,
                "metadata": dict(self.metadata),
            }
        )

    @classmethod
    def decode(cls, key: str, data: bytes) -> Self:
        """Read the sidecar of ``key``.

        Raises:
            IntegrityError: ``sidecar_damaged`` when it cannot be read or describes another object.
        """
        try:
            fields = canonical.decode(data)
            if fields["v"] != _VERSION or fields["key"] != key:
                raise ValueError("it has another version, or belongs to another object")
            return cls(
                key=key,
                sha256=check_sha256(fields["sha256"]),
                size=_count(fields["size"]),
                stored_at=_count(fields["stored_at"]),
                lock=_lock(fields["lock"]),
                held=_flag(fields["held"]),
                metadata={str(name): str(value) for name, value in fields["metadata"].items()},
            )
        except (ArchiveError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise IntegrityError(
                f"the sidecar of {key} cannot be read: {error}",
                code="sidecar_damaged",
                hint="Restore it from a backup of the store; it holds lock, hold and SHA-256.",
            ) from error


def sidecar_name(name: str) -> str:
    """The sidecar's name in the folder of the object ``name``; no key can have it."""
    return f".{name}.sidecar"


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a count")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _lock(value: Any) -> Lock | None:
    return None if value is None else Lock(LockMode(value["mode"]), _count(value["until"]))
