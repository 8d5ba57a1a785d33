"""Setting, clearing and verifying the legal hold flag on many object versions, side by side.

A flag counts as set or cleared only when the store's answer to a HEAD says so. If the store refuses one
version, the others go on. If the store does not answer, or refuses this account, all stop and are tried again
later.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound, Refused
from archive.ports import ObjectStore, ObjectVersion


@dataclass(frozen=True, slots=True)
class Failure:
    """A version that did not reach the requested state; ``is_missing`` if it does not exist."""

    version: ObjectVersion
    message: str
    is_missing: bool = False


class Flags:
    """The flags of one bucket. ``pool`` runs requests in parallel; None for a store without a network."""

    def __init__(self, footage: ObjectStore, pool: Executor | None = None) -> None:
        self._footage = footage
        self._pool = pool

    def place(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Set and verify; returns the failures. Raises Unavailable, Refused ``store_access_denied``."""
        return self._each(self._place, versions)

    def free(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Clear and verify; returns the failures. A missing version is free. Raises as :meth:`place`."""
        return self._each(self._free, versions)

    def confirm(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Only verify; returns the versions that are not held. Raises as :meth:`place`."""
        return self._each(self._confirm, versions)

    def _each(
        self, act: Callable[[ObjectVersion], Failure | None], versions: Sequence[ObjectVersion]
    ) -> list[Failure]:
        answers: Iterable[Failure | None] = map(act, versions)
        if self._pool is not None and len(versions) > 1:
            answers = self._pool.map(act, versions)
        return [failure for failure in answers if failure is not None]

    def _place(self, version: ObjectVersion) -> Failure | None:
        try:
            self._footage.place_hold(version.key, version=version.version)
        except NotFound as error:
            return Failure(version, error.message, is_missing=True)
        except (Refused, IntegrityError, Malformed) as error:
            return _failure(version, error)
        return self._confirm(version)

    def _free(self, version: ObjectVersion) -> Failure | None:
        try:
            self._footage.release_hold(version.key, version=version.version)
            if not self._footage.head(version.key, version=version.version).held:
                return None
        except NotFound:
            return None
        except (Refused, IntegrityError, Malformed) as error:
            return _failure(version, error)
        return Failure(version, "the store accepted the request to clear the flag and did not clear it")

    def _confirm(self, version: ObjectVersion) -> Failure | None:
        try:
            if self._footage.head(version.key, version=version.version).held:
                return None
        except NotFound as error:
            return Failure(version, error.message, is_missing=True)
        except (Refused, IntegrityError, Malformed) as error:
            return _failure(version, error)
        return Failure(version, "the store says that it is not held")


def _failure(version: ObjectVersion, error: ArchiveError) -> Failure:
    """The failure of one version. A denied account is no finding about a version: that error is raised."""
    if error.code == "store_access_denied":
        raise error
    return Failure(version, error.message)
