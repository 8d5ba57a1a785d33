"""Papers of requests: received while they are hashed, recognized by their bytes, and kept under their hash.

Receiving a paper, each step idempotent:

1. The bytes go to a temporary file and are hashed on the way; beyond the limit nothing more is read.
2. Their media type is determined from the bytes (:mod:`archive.cases.requests.sniffing`).
3. They are put as ``attachments/<sha256>``, locked in GOVERNANCE mode; the store checks the hash.
4. A claim in the cache bucket names the account that uploaded them. A request can name only papers that its
   own account uploaded: knowing a hash does not give access to the paper.

A lost claim costs another upload. A paper that no request names stays until its lock has ended.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from archive import canonical, keys
from archive.canonical import sha256_hex
from archive.cases.requests.sniffing import media_type_of
from archive.clock import Clock
from archive.durable import disk_errors
from archive.errors import AlreadyExists, IntegrityError, Malformed, NotFound
from archive.ids import check_sha256
from archive.ports import Content, Lock, LockMode, ObjectStore
from archive.timespan import DAY

_CLAIMS = "requests/uploads/"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A stored paper: its hash, its size in bytes and its media type."""

    sha256: str
    size: int
    media_type: str


class Incoming:
    """One paper being received. Use it as a context manager; it removes the temporary file."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0
        with disk_errors("an attachment"):
            self._temporary = tempfile.NamedTemporaryFile(prefix="saksi-attachment-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._temporary.close()

    def write(self, piece: bytes) -> None:
        """Receive the next bytes. Raises Malformed ``attachment_too_large``, StoreFull ``spool_full``."""
        self.size += len(piece)
        if self.size > self._limit:
            raise Malformed(
                f"Berkas terlalu besar. / The attachment has more than {self._limit >> 20} MiB.",
                code="attachment_too_large",
                hint="Pindai dengan resolusi lebih rendah. / Scan at a lower resolution.",
            )
        self._hash.update(piece)
        with disk_errors("an attachment"):
            self._temporary.write(piece)

    def finish(self) -> tuple[Uploaded, Content]:
        """The received paper. Raises Malformed ``attachment_type``."""
        with disk_errors("an attachment"):
            self._temporary.flush()
            media_type = media_type_of(self._temporary)
        sha256 = self._hash.hexdigest()
        content = Content.of_file(Path(self._temporary.name), sha256=sha256)
        return Uploaded(sha256, self.size, media_type), content


class Attachments:
    """The papers of one archive. Thread-safe. ``limit`` in bytes."""

    def __init__(
        self, records: ObjectStore, cache: ObjectStore, clock: Clock, *, limit: int, lock_days: int
    ) -> None:
        self._records = records
        self._cache = cache
        self._clock = clock
        self._lock_days = lock_days
        self.limit = limit

    def incoming(self) -> Incoming:
        """A paper that is about to be received."""
        return Incoming(self.limit)

    def keep(self, incoming: Incoming, *, account: str) -> Uploaded:
        """Store a received paper in the name of an account.

        Raises:
            Malformed: ``attachment_type``.
            IntegrityError: ``checksum_mismatch``, ``attachment_altered``.
        """
        uploaded, content = incoming.finish()
        key = keys.attachment_key(uploaded.sha256)
        lock = Lock(LockMode.GOVERNANCE, self._clock.now() + self._lock_days * DAY)
        try:
            self._records.put(key, content, metadata={"media-type": uploaded.media_type}, lock=lock)
        except AlreadyExists as error:
            raise IntegrityError(
                f"{key} has other bytes than its name states", code="attachment_altered"
            ) from error
        body = canonical.encode({"media_type": uploaded.media_type, "size": uploaded.size})
        self._cache.put(_claim(account, uploaded.sha256), Content.of_bytes(body))
        return uploaded

    def uploaded(self, sha256: str, *, account: str) -> Uploaded:
        """A paper that the account uploaded. Raises NotFound ``attachment_not_found``."""
        try:
            claim = canonical.decode(self._cache.get(_claim(account, check_sha256(sha256))))
            return Uploaded(sha256, claim["size"], claim["media_type"])
        except (NotFound, KeyError, Malformed) as error:
            raise NotFound(
                f"no paper {sha256[:16]}… was uploaded by this account",
                code="attachment_not_found",
                hint="Upload the paper first; the answer contains its hash.",
            ) from error

    def is_uploaded(self, sha256: str, *, account: str) -> bool:
        """Whether the account uploaded this paper."""
        try:
            self.uploaded(sha256, account=account)
        except NotFound:
            return False
        return True

    @staticmethod
    def read(records: ObjectStore, sha256: str) -> bytes:
        """All bytes of a paper, checked against its hash.

        Raises:
            IntegrityError: ``attachment_altered``.
        """
        content = records.get(keys.attachment_key(sha256))
        if sha256_hex(content) != sha256:
            raise IntegrityError(
                f"the paper {sha256[:16]}… has other bytes than its name states", code="attachment_altered"
            )
        return content

    def stream(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a paper. Raises as the store."""
        return self._records.stream(keys.attachment_key(sha256), start, length)


def _claim(account: str, sha256: str) -> str:
    return f"{_CLAIMS}{sha256_hex(account.encode())[:32]}/{sha256}.json"
