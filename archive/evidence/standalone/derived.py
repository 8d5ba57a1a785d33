"""Whether each clip is made of its originals' bytes, and its slice NAL units are a run of theirs.

A clip's *pieces* tile it from its header to its end; each is a run of bytes of an original. While an original
goes by, the clips that name it are read alongside and compared. NAL units are found twice, apart: in the
original by its ``trun``, in the clip by its ``stbl``; both must name the same places in the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from archive.evidence.standalone import mp4
from archive.evidence.standalone.mp4 import BadMp4, SliceWalker
from archive.evidence.standalone.notebook import Broken
from archive.evidence.standalone.parcel import Parcel, Unreadable

_PLACE = struct.Struct(">QQ")


class RunningDigest(Protocol):
    """A SHA-256 that takes in bytes."""

    def update(self, chunk: bytes) -> None:
        """Take in bytes."""
        ...

    def hexdigest(self) -> str:
        """The digest so far."""
        ...


class Piece:
    """One piece as stated, and the slices that were found in it."""

    def __init__(self, stated: dict[str, Any]) -> None:
        self.original: str = stated["original"]
        self.start: int = stated["original_offset"]
        self.end: int = self.start + stated["length"]
        self.clip_start: int = stated["clip_offset"]
        self.slices: dict[str, Any] | None = stated.get("slices")
        self.first: int | None = None
        self.count = 0
        self.digest = hashlib.sha256()
        self.places = hashlib.sha256()
        self.clip_places = hashlib.sha256()
        self.readable = False
        """Whether the original's samples here are NAL units; ``clip_readable`` whether the clip's are."""
        self.clip_readable = True

    def saw(self, number: int, offset: int, length: int) -> None:
        """Slice ``number`` of the original begins at ``offset`` in this piece."""
        if self.first is None:
            self.first = number
        self.count += 1
        self.places.update(_PLACE.pack(offset - self.start, length))
        self.digest.update(length.to_bytes(8, "big")[4:])

    def saw_in_clip(self, offset: int, length: int) -> None:
        """A slice of the clip begins at ``offset`` of the clip, in this piece."""
        self.clip_places.update(_PLACE.pack(offset - self.clip_start, length))

    @property
    def problem(self) -> str:
        """What is wrong with the slices, or nothing."""
        if not self.readable:
            return "the original's samples are no NAL units"
        if self.slices is None:
            return "no slices are stated"
        if not self.clip_readable or self.clip_places.digest() != self.places.digest():
            return "the clip's tables name other NAL units than the original's"
        found = {"first": self.first or 0, "count": self.count, "sha256": self.digest.hexdigest()}
        if not self.count:
            found["first"] = self.slices["first"]
        return "" if found == self.slices else f"found {found}, stated {self.slices}"


class Follower:
    """One clip, read alongside its originals.

    Raises:
        Broken: ``bad_clip``, ``bad_pieces``, ``unreadable_part``: its account of itself cannot be followed.
    """

    def __init__(self, parcel: Parcel, part: dict[str, Any], digest: RunningDigest) -> None:
        self.path: str = part["path"]
        self.size = parcel.sizes.get(self.path, 0)
        self.pieces = [Piece(stated) for stated in part["pieces"]]
        self.same = True
        self.trouble = ""
        self._digest = digest
        self._chunks = parcel.chunks(self.path)
        self._pending: list[tuple[mp4.Samples, int, SliceWalker | None]] = []
        self._starts: list[int] = []
        self._buffer = b""
        self._at = 0
        self._next = 0
        head = self._read_head()
        check_tiling(self.pieces, len(head), self.size)
        self._starts = [piece.clip_start for piece in self.pieces]
        self._pending = self._clip_walkers(head)

    @property
    def complete(self) -> bool:
        """Whether every piece's bytes went by in the originals."""
        return self._next == len(self.pieces)

    def feed(self, original: str, offset: int, chunk: bytes) -> int:
        """Bytes of an original; how many of the clip's were read for them."""
        pulled = 0
        end = offset + len(chunk)
        while self._next < len(self.pieces):
            piece = self.pieces[self._next]
            start = piece.start + max(0, self._at - piece.clip_start)
            if piece.original != original or start >= end or start < offset:
                break
            stop = min(piece.end, end)
            pulled += self._compare(memoryview(chunk)[start - offset : stop - offset])
            if stop < piece.end:
                break
            self._next += 1
        return pulled

    def finish(self) -> str:
        """Read what is left; the clip's SHA-256. Raises Unreadable."""
        self._skip(self.size + 1)
        if self.trouble:
            raise Unreadable(self.trouble)
        return self._digest.hexdigest()

    def _compare(self, wanted: memoryview) -> int:
        at = 0
        while at < len(wanted):
            part = self._pull(len(wanted) - at)
            if not part:
                self.same = False
                break
            if self.same and part != bytes(wanted[at : at + len(part)]):
                self.same = False
            at += len(part)
        return at

    def _pull(self, most: int) -> bytes:
        """The next bytes of the clip, at most so many; none at its end or where it cannot be read."""
        if not self._buffer:
            try:
                self._buffer = next(self._chunks, b"")
            except Unreadable as error:
                self.trouble = str(error)
            if self._buffer:
                self._digest.update(self._buffer)
        part, self._buffer = self._buffer[:most], self._buffer[most:]
        for walker in self._current_walkers(self._at + len(part)):
            walker.feed(self._at, memoryview(part))
        self._at += len(part)
        return part

    def _skip(self, most: int) -> None:
        while most > 0:
            part = self._pull(min(most, 1 << 20))
            if not part:
                return
            most -= len(part)

    def _read_head(self) -> bytes:
        """The clip's bytes up to its samples; they stay in the buffer's past."""
        head = b""
        need = 16
        while True:
            while len(head) < need:
                part = self._pull(need - len(head))
                if not part:
                    raise Broken(
                        "unreadable_part" if self.trouble else "bad_clip", self.trouble or "it is cut off"
                    )
                head += part
            try:
                need, end, enough = mp4.head_length(head, (b"ftyp", b"moov"))
            except BadMp4 as error:
                raise Broken("bad_clip", str(error)) from error
            if enough:
                if end != self.size or need > self.size:
                    raise Broken("bad_clip", "it does not end with one mdat box")
                break
            if need > mp4.MAX_HEAD:
                raise Broken("bad_clip", "a header beyond reason")
        while len(head) < need:
            part = self._pull(need - len(head))
            if not part:
                raise Broken("bad_clip", "it is cut off")
            head += part
        # 16 bytes were read to see mdat's length; its body may begin within them
        self._buffer = head[need:] + self._buffer
        self._at -= len(head) - need
        return head[:need]

    def _clip_walkers(self, head: bytes) -> list[tuple[mp4.Samples, int, SliceWalker | None]]:
        """Chunks of the clip with where they end; their walkers are made as they come."""
        found: list[tuple[mp4.Samples, int, SliceWalker | None]] = []
        at = len(head)
        try:
            for one in mp4.clip_samples(head):
                if one.start != at:
                    break
                at += sum(one.sizes)
                found.append((one, at, None))
        except BadMp4 as error:
            raise Broken("bad_clip", str(error)) from error
        if at != self.size:
            raise Broken("bad_clip", "the chunks of its tables do not tile it")
        return found

    def _current_walkers(self, end: int) -> Iterator[SliceWalker]:
        """Walkers of the chunks that begin before ``end`` and are not behind; those behind are let go."""
        while self._pending:
            samples, stop, walker = self._pending[0]
            if samples.start >= end:
                return
            if walker is None:
                walker = SliceWalker(samples, self._saw_slice)
                self._pending[0] = (samples, stop, walker)
            yield walker
            if walker.broken_at is not None:
                self._piece_at(walker.broken_at).clip_readable = False
            if stop > end:
                return
            self._pending.pop(0)

    def _saw_slice(self, offset: int, length: int) -> None:
        self._piece_at(offset).saw_in_clip(offset, length)

    def _piece_at(self, offset: int) -> Piece:
        """The piece that holds this byte of the clip; pieces tile it, so there is one."""
        return self.pieces[max(0, bisect_right(self._starts, offset) - 1)]


class Original:
    """One original as it goes by, for the clips that name it; ``pieces`` are theirs, of this original."""

    def __init__(
        self, pool: ThreadPoolExecutor, path: str, followers: list[Follower], pieces: list[Piece]
    ) -> None:
        self._pool = pool
        self._walking: Future[None] | None = None
        self._path = path
        self._followers = followers
        self._pieces = pieces
        self._head = b""
        self._at = 0
        self._walker: SliceWalker | None = None
        self._edges: list[int] = []
        self._number = 0
        self._inside: list[Piece] = []
        self._readable = bool(pieces)

    def feed(self, chunk: bytes) -> int:
        """The next bytes; how many of clips were read for them. NAL units are followed on a thread."""
        self._wait()
        if self._readable:
            self._walking = self._pool.submit(self._walk, self._at, chunk)
        pulled = sum(one.feed(self._path, self._at, chunk) for one in self._followers)
        self._at += len(chunk)
        return pulled

    def _wait(self) -> None:
        if self._walking is not None:
            self._walking.result()

    def finish(self) -> None:
        """The original is at its end; note which pieces are whole samples of NAL units."""
        self._wait()
        broken = None if self._walker is None else self._walker.broken_at
        for piece in self._pieces:
            piece.readable = (
                self._is_edge(piece.start)
                and self._is_edge(piece.end)
                and piece.end <= self._at
                and (broken is None or piece.end <= broken)
            )

    def _is_edge(self, offset: int) -> bool:
        at = bisect_right(self._edges, offset) - 1
        return at >= 0 and self._edges[at] == offset

    def _walk(self, start: int, chunk: bytes) -> None:
        if self._walker is None:
            self._head += chunk
            try:
                need, _, enough = mp4.head_length(self._head, (b"ftyp", b"moov", b"moof"))
                if not enough or len(self._head) < need:
                    self._readable = need <= mp4.MAX_HEAD
                    return
                samples = mp4.original_samples(self._head[:need])
            except BadMp4:
                self._readable = False
                return
            self._edges = samples.edges()
            self._walker = SliceWalker(samples, self._saw_slice, self._saw_bytes)
            chunk, start, self._head = self._head[need:], need, b""
        self._walker.feed(start, memoryview(chunk))

    def _saw_slice(self, offset: int, length: int) -> None:
        self._inside = [piece for piece in self._pieces if piece.start <= offset < piece.end]
        for piece in self._inside:
            piece.saw(self._number, offset, length)
        self._number += 1

    def _saw_bytes(self, part: memoryview) -> None:
        for piece in self._inside:
            piece.digest.update(part)


class Clips:
    """All clips of a package: followed where they can be, else the reason why not."""

    def __init__(
        self, parcel: Parcel, parts: list[dict[str, Any]], digest: Callable[[], RunningDigest]
    ) -> None:
        self.followers: dict[str, Follower] = {}
        self.broken: dict[str, Broken] = {}
        self._named: dict[str, tuple[list[Follower], list[Piece]]] = {}
        for part in parts:
            if part["path"] not in parcel.sizes or part["path"] in self.followers:
                continue
            try:
                follower = Follower(parcel, part, digest())
            except Broken as error:
                self.broken[part["path"]] = error
                continue
            self.followers[follower.path] = follower
            for piece in follower.pieces:
                followers, pieces = self._named.setdefault(piece.original, ([], []))
                pieces.append(piece)
                if follower not in followers:
                    followers.append(follower)

    def original(self, pool: ThreadPoolExecutor, path: str) -> Original:
        """An original that is about to go by."""
        return Original(pool, path, *self._named.get(path, ([], [])))

    def finish(self, path: str) -> str | None:
        """The SHA-256 of a clip that was read alongside, None for any other part. Raises Unreadable."""
        follower = self.followers.get(path)
        return None if follower is None else follower.finish()


def check_tiling(pieces: list[Piece], head: int, size: int) -> None:
    """The pieces cover ``[head, size)`` once, in order, and never go back in an original.

    Raises:
        Broken: ``bad_pieces``.
    """
    at = head
    seen: set[str] = set()
    current, read_to = "", 0
    for piece in pieces:
        if piece.end <= piece.start or piece.start < 0 or piece.clip_start != at:
            raise Broken("bad_pieces", f"a hole or an overlap at byte {at}")
        if piece.original != current:
            if piece.original in seen:
                raise Broken("bad_pieces", f"they come back to {piece.original}")
            seen.add(piece.original)
            current, read_to = piece.original, 0
        if piece.start < read_to:
            raise Broken("bad_pieces", f"they go back in {piece.original}")
        read_to = piece.end
        at += piece.end - piece.start
    if at != size:
        raise Broken("bad_pieces", f"they end at byte {at} of {size}")
