"""All errors of the archive, as one tree.

::

    ArchiveError            code, hint, retryable
    +-- NotFound            the requested object is not there
    +-- Refused             a rule forbids it; a retry changes nothing
    +-- Conflict            another writer was first, or the key holds other bytes
    |   +-- AlreadyExists
    +-- IntegrityError      stored bytes differ from what was promised; never retried
    +-- Unavailable         a store, a server or a program does not answer; may be retried
    |   +-- StoreFull
    +-- Malformed           the input cannot mean anything

Each adapter translates the exceptions of its library into this tree in one place, and raises nothing else.
``code`` is stable and documented in ``docs/reference/errors.md``; ``hint`` says what the reader can do
now.
"""

from typing import ClassVar


class ArchiveError(Exception):
    """Root of the tree. ``str()`` is one sentence that names the operation and the object."""

    retryable: ClassVar[bool] = False
    default_code: ClassVar[str] = "archive_error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint


class NotFound(ArchiveError):
    """The requested object, camera, segment or package is not there."""

    default_code = "not_found"


class Refused(ArchiveError):
    """A rule forbids the operation: a lock, a hold, a permission, a private view."""

    default_code = "refused"


class Conflict(ArchiveError):
    """Another writer was first. Read again before deciding what to do."""

    default_code = "conflict"


class AlreadyExists(Conflict):
    """The key already holds other bytes, which stay unchanged."""

    default_code = "already_exists"


class IntegrityError(ArchiveError):
    """Bytes, signatures or chains differ from their record. Raised loudly, never retried."""

    default_code = "integrity"

    @property
    def key(self) -> str:
        """The key of the object with which the sentence begins; "" if it begins otherwise."""
        first = self.message.partition(" ")[0]
        return first if "/" in first else ""


class Unavailable(ArchiveError):
    """A store, a server or a program does not answer. Nothing was lost; a retry makes sense."""

    retryable = True
    default_code = "unavailable"


class StoreFull(Unavailable):
    """The store or the spool has no room. Nothing was overwritten to make some."""

    default_code = "store_full"


class Malformed(ArchiveError):
    """The input cannot mean anything: a naive time, a torn box, a bad manifest."""

    default_code = "malformed"
