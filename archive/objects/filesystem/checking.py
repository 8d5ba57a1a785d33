"""Whether a stored file still holds the bytes that were stored, asked before a part of it is given out.

S3 servers compare each part with a checksum of their own when they read it. A file system does not: a bit
that flips, or a person at the disk, changes a file unseen. A reader of the whole object compares its SHA-256;
a reader of a part cannot. So the store compares the whole object before the first part of it leaves, and
again once the file has changed in any way that the system shows, or after :data:`LASTING`.
"""

import hashlib
import os
import threading
from collections import OrderedDict

from archive import attended
from archive.clock import Clock
from archive.objects.filesystem.reading import altered
from archive.timespan import MINUTE, SECOND

LASTING = 10 * MINUTE
"""How long a file that looks the same is taken for the same (µs of elapsed time)."""

MOST = 20_000
"""Files that one store remembers: about 6 MB."""

SETTLED = SECOND
"""A file that was changed less than this before is not remembered: systems count such times in steps, so a
second change within a step would look like the first."""

_PIECE = 1 << 20

_Look = tuple[int, int, int, int, int]


class Comparisons:
    """Which files were compared with their SHA-256, and when. Thread-safe; the oldest are forgotten.

    Of several threads that want the same file only one reads it; the others wait for that.
    """

    def __init__(self, clock: Clock, *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._guard = threading.Lock()
        self._compared: OrderedDict[_Look, int] = OrderedDict()
        self._turns: dict[_Look, threading.Lock] = {}

    def check(self, descriptor: int, key: str, sha256: str) -> None:
        """Compare an open file with its SHA-256, unless it was compared lately and looks the same since.

        Raises:
            IntegrityError: ``object_altered``.
            Abandoned: the reader left meanwhile.
            OSError: the disk failed.
        """
        look = _look(descriptor)
        if self._is_known(look):
            return
        with self._guard:
            turn = self._turns.setdefault(look, threading.Lock())
        try:
            with turn:
                if not self._is_known(look):
                    self._compare(descriptor, key, sha256, look)
        finally:
            with self._guard:
                self._turns.pop(look, None)

    def _is_known(self, look: _Look) -> bool:
        with self._guard:
            compared = self._compared.get(look)
        return compared is not None and self._clock.monotonic() - compared < LASTING

    def _compare(self, descriptor: int, key: str, sha256: str, look: _Look) -> None:
        began, now = self._clock.monotonic(), self._clock.now()
        digest = hashlib.sha256()
        at = 0
        while piece := os.pread(descriptor, _PIECE, at):
            digest.update(piece)
            at += len(piece)
            attended.step()
        if digest.hexdigest() != sha256:
            raise altered(key, "its SHA-256 differs")
        if _look(descriptor) != look or now - look[-1] // 1000 < SETTLED:
            return
        with self._guard:
            self._compared[look] = began
            self._compared.move_to_end(look)
            while len(self._compared) > self._most:
                self._compared.popitem(last=False)


def _look(descriptor: int) -> _Look:
    """What the system shows of a file; any write to it changes the last of these."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
