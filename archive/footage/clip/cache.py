"""Recent clip plans, so that a player that seeks with many Range requests needs only one plan.

Bounded by bytes. A plan depends only on segments and span. Gaps and pending time depend on the moment of
the request and are part of the key, so that no answer carries outdated causes.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from archive.footage.clip.exact import Clip, clip_etag
from archive.footage.reader import Reading

_PIECE_BYTES = 400  # one piece with its share of the reading; measured with tracemalloc


class ClipCache:
    """A least-recently-used store of :class:`Clip`; safe to share between threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._clips: OrderedDict[str, tuple[Clip, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, reading: Reading, plan: Callable[[], Clip]) -> Clip:
        """The clip of a reading; if it is not cached, ``plan`` makes it, and its errors pass through.

        Two threads that miss at the same time both plan; the plans are equal.
        """
        key = _key(reading)
        with self._lock:
            found = self._clips.get(key)
            if found is not None:
                self._clips.move_to_end(key)
                return found[0]
        clip = plan()
        weight = clip.head_size + _PIECE_BYTES * len(clip.pieces)
        with self._lock:
            if key not in self._clips and weight <= self._max_bytes:
                self._clips[key] = (clip, weight)
                self._bytes += weight
                while self._bytes > self._max_bytes:
                    _, (_, dropped) = self._clips.popitem(last=False)
                    self._bytes -= dropped
        return clip


def _key(reading: Reading) -> str:
    moment = (
        f"{reading.gaps}{list(reading.pending)}{reading.others}{[ref.version for ref in reading.segments]}"
    )
    return f"{clip_etag(reading)}{hashlib.sha256(moment.encode()).hexdigest()}"
