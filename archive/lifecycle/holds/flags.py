"""Setting, clearing and verifying the legal hold flag on many object versions, side by side.

Nothing counts as set or cleared before the store's own answer to a HEAD says so. What one version refuses
stops none of the others; a store that does not answer, or not to this account, stops all, to be tried again.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound, Refused
from archive.ports import ObjectStore, ObjectVersion


@dataclass(frozen=True, slots=True)
class Failure:
    """A version that did not come to the state asked for; ``is_missing`` where it is not there at all."""

    version: ObjectVersion
    message: str
    is_missing: bool = False


class Flags:
    """The flags of one bucket. ``pool`` works side by side; None for a store without a network."""

    def __init__(self, footage: ObjectStore, pool: Executor | None = None) -> None:
        self._footage = footage
        self._pool = pool

    def place(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Set and verify; what failed. Raises Unavailable, Refused ``store_access_denied``."""
        return self._each(self._place, versions)

    def free(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Clear and verify; what failed. A version that is gone is free. Raises as :meth:`place`."""
        return self._each(self._free, versions)

    def confirm(self, versions: Sequence[ObjectVersion]) -> list[Failure]:
        """Verify alone: what is not held. Raises as :meth:`place`."""
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
        return Failure(version, "the store took the order to clear the flag and did not follow it")

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
    """What a version refuses. That the account may not ask is no finding about any of them."""
    if error.code == "store_access_denied":
        raise error
    return Failure(version, error.message)
