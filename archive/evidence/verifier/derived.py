"""Checks that each clip consists of its originals' bytes, and that its slice NAL units are a run of theirs.

A clip's *pieces* tile it from its header to its end; each is a run of bytes of an original. While an original
is read, the clips that name it are read alongside and compared. NAL units are located twice, independently:
in the original by its ``trun``, in the clip by its ``stbl``. Both must give the same places in the same
bytes.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from archive.evidence.verifier import mp4
from archive.evidence.verifier.clip import read_head, read_tables
from archive.evidence.verifier.container import Chunks, Container, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.mp4 import SOUND, BadMp4, SliceWalker
from archive.evidence.verifier.pieces import Piece, check_tiling
from archive.evidence.verifier.rebuilt import Rebuilding


class RunningDigest(Protocol):
    """A SHA-256 that takes in bytes."""

    def update(self, chunk: bytes) -> None:
        """Take in bytes."""
        ...

    def hexdigest(self) -> str:
        """The digest so far."""
        ...


class Follower:
    """One clip, read alongside its originals.

    The clip's head is read on construction, and again with the rest. The part is open only from the clip's
    first original to its last, because a package may have more clips than a process can open files.

    Raises:
        Broken: ``bad_clip``, ``bad_pieces``, ``unreadable_part``: its tables or pieces cannot be followed.
    """

    def __init__(self, container: Container, part: dict[str, Any], digest: RunningDigest) -> None:
        self.path: str = part["path"]
        self.size = container.sizes.get(self.path, 0)
        self.pieces = [Piece(stated) for stated in part["pieces"]]
        self.same = True
        self.trouble = ""
        self._container = container
        self._digest = digest
        head = read_head(container.chunks(self.path), self.size)
        check_tiling(self.pieces, len(head), self.size)
        read_tables(head, self.size)
        self.head = (len(head), hashlib.sha256(head).digest())
        self._starts = [piece.clip_start for piece in self.pieces]
        self._pending: deque[tuple[mp4.Samples, int]] = deque()
        self._walker: SliceWalker | None = None
        self._begun = False
        self._chunks: Chunks | None = None
        self._chunk = b""
        self._taken = 0
        self._at = 0
        self._next = 0

    @property
    def complete(self) -> bool:
        """Whether the originals have delivered the bytes of every piece."""
        return self._next == len(self.pieces)

    def feed(self, original: str, offset: int, chunk: bytes) -> int:
        """Take bytes of an original; returns how many of the clip's bytes were read for them."""
        before = self._at
        end = offset + len(chunk)
        while self._next < len(self.pieces):
            piece = self.pieces[self._next]
            start = piece.start + max(0, self._place - piece.clip_start)
            if piece.original != original or start >= end or start < offset:
                break
            stop = min(piece.end, end)
            self._begin()
            self._compare(chunk, start - offset, stop - offset)
            if stop < piece.end:
                break
            self._next += 1
            if self.complete:
                self._end()
        return self._at - before

    def finish(self) -> str:
        """Read the rest of the clip; returns its SHA-256. Raises Unreadable."""
        self._begin()
        self._end()
        if self.trouble:
            raise Unreadable(self.trouble)
        return self._digest.hexdigest()

    @property
    def _place(self) -> int:
        """The offset up to which the clip has been compared."""
        return self._at - len(self._chunk) + self._taken

    def _begin(self) -> None:
        """Open the clip if it is not open yet, and read past its known head."""
        if self._begun:
            return
        self._begun = True
        self._chunks = self._container.chunks(self.path)
        length, digest = self.head
        head = bytearray()
        while len(head) < length and self._fill():
            head += self._take(length - len(head))
        if hashlib.sha256(head).digest() != digest:
            self.trouble = self.trouble or "it changed while it was read"
            return
        self._pending.extend(read_tables(bytes(head), self.size))
        self._walk(self._place, memoryview(self._chunk)[self._taken :])

    def _end(self) -> None:
        """Read to the clip's end for its digest, and close it."""
        while self._fill():
            self._taken = len(self._chunk)
        self._chunks = None

    def _compare(self, chunk: bytes, at: int, stop: int) -> None:
        """Check that the clip's next bytes are those of ``chunk`` from ``at`` to ``stop``."""
        while at < stop:
            if not self._fill():
                self.same = False
                return
            part = self._take(stop - at)
            self.same = self.same and chunk.startswith(part, at)
            at += len(part)

    def _take(self, most: int) -> memoryview:
        """The next bytes that are loaded, ``most`` at most."""
        part = memoryview(self._chunk)[self._taken : self._taken + most]
        self._taken += len(part)
        return part

    def _fill(self) -> bool:
        """Load at least one byte of the clip; False at its end, or where it cannot be read."""
        if self._taken < len(self._chunk):
            return True
        self._chunk, self._taken = b"", 0
        if self._chunks is None:
            return False
        try:
            self._chunk = next(self._chunks, b"")
        except Unreadable as error:
            self.trouble = str(error)
        if self._chunk:
            self._digest.update(self._chunk)
            self._walk(self._at, memoryview(self._chunk))
            self._at += len(self._chunk)
        return bool(self._chunk)

    def _walk(self, at: int, part: memoryview) -> None:
        """Follow the NAL units of each chunk of the tables that has bytes in ``part``."""
        end = at + len(part)
        while self._pending and self._pending[0][0].start < end:
            samples, stop = self._pending[0]
            if samples.codec != SOUND:
                self._walker = self._walker or SliceWalker(samples, self._saw_slice)
                self._walker.feed(at, part)
                if self._walker.broken_at is not None:
                    self._piece_at(self._walker.broken_at).clip_readable = False
            if stop > end:
                return
            self._pending.popleft()
            self._walker = None

    def _saw_slice(self, offset: int, length: int) -> None:
        self._piece_at(offset).saw_in_clip(offset, length)

    def _piece_at(self, offset: int) -> Piece:
        """The piece that holds this byte of the clip; pieces tile it, so there is one."""
        return self.pieces[max(0, bisect_right(self._starts, offset) - 1)]


class Original:
    """One original while it is read, for the clips that name it; ``pieces`` are their pieces of it.

    ``took_header`` gets its bytes up to its first sample.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        path: str,
        followers: list[Follower],
        pieces: list[Piece],
        took_header: Callable[[bytes], None] | None = None,
    ) -> None:
        self._pool = pool
        self._walking: Future[None] | None = None
        self._path = path
        self._followers = followers
        self._pieces = sorted(pieces, key=lambda piece: piece.start)
        self._coming = deque(self._pieces)
        self._head = b""
        self._at = 0
        self._walker: SliceWalker | None = None
        self._edges: list[int] = []
        self._number = 0
        self._inside: list[Piece] = []
        self._took_header = took_header
        self._readable = bool(pieces) or took_header is not None

    def feed(self, chunk: bytes) -> int:
        """Take the next bytes; returns how many bytes of clips were read for them.

        A thread follows the NAL units.
        """
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
        """End the original, and note which pieces are whole samples of NAL units."""
        self._wait()
        for piece in self._coming:
            piece.first = self._number
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
                if self._took_header is not None:
                    self._took_header(self._head[:need])
                samples = mp4.original_samples(self._head[:need])
            except BadMp4:
                self._readable = False
                return
            if not self._pieces:
                self._readable = False
                return
            self._edges = samples.edges()
            self._walker = SliceWalker(samples, self._saw_slice, self._saw_bytes)
            chunk, start, self._head = self._head[need:], need, b""
        self._walker.feed(start, memoryview(chunk))

    def _saw_slice(self, offset: int, length: int) -> None:
        while self._coming and self._coming[0].start <= offset:
            piece = self._coming.popleft()
            piece.first = self._number
            self._inside.append(piece)
        self._inside = [piece for piece in self._inside if offset < piece.end]
        for piece in self._inside:
            piece.saw(offset, length)
        self._number += 1

    def _saw_bytes(self, part: memoryview) -> None:
        for piece in self._inside:
            piece.digest.update(part)


class Clips:
    """All clips of a package: followed where possible, else with the reason why not; and made anew.

    ``stated`` is ``evidence.json``; a clip is made anew from the originals that it lists.
    """

    def __init__(
        self,
        container: Container,
        parts: list[dict[str, Any]],
        digest: Callable[[], RunningDigest],
        stated: dict[str, Any],
    ) -> None:
        self.rebuilding = Rebuilding(container, stated)
        self.followers: dict[str, Follower] = {}
        self.broken: dict[str, Broken] = {}
        self._named: dict[str, tuple[list[Follower], list[Piece]]] = {}
        for part in parts:
            if part["path"] not in container.sizes or part["path"] in self.followers:
                continue
            try:
                follower = Follower(container, part, digest())
                self.rebuilding.add(part, follower.head)
            except Broken as error:
                self.broken[part["path"]] = error
                continue
            self.followers[follower.path] = follower
            for piece in follower.pieces:
                followers, pieces = self._named.setdefault(piece.original, ([], []))
                if not piece.is_sound:
                    pieces.append(piece)
                if follower not in followers:
                    followers.append(follower)

    def original(self, pool: ThreadPoolExecutor, path: str) -> Original:
        """The original that is about to be read."""
        followers, pieces = self._named.get(path, ([], []))
        return Original(pool, path, followers, pieces, self.rebuilding.header_of(path))

    def finish(self, path: str) -> str | None:
        """The SHA-256 of a clip that was read alongside; None for any other part. Raises Unreadable."""
        follower = self.followers.get(path)
        return None if follower is None else follower.finish()
