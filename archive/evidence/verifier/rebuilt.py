"""Clips made anew from their originals, and what they and ``evidence.json`` must then say.

A clip follows from the layout that ``evidence.json`` names, the span that was asked for, and the originals
that its pieces name: their headers and their leaves. So its header is made again and compared byte for byte;
its span, hidden footage, wall times and gaps are computed and not believed. Which originals were chosen is no
part of a layout. Instead, every frame that an original of the camera has in the span must be shown, be
covered by another original's, or be undecodable.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from archive.evidence.verifier import leaf, spans, times
from archive.evidence.verifier.clip import read_head
from archive.evidence.verifier.clip_cut import TICKS, Cut, CutPiece, Segment
from archive.evidence.verifier.clip_head import make_head, where_differs
from archive.evidence.verifier.clip_sound import SoundCut
from archive.evidence.verifier.container import Container, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.mp4 import BadMp4
from archive.evidence.verifier.original import read_header
from archive.evidence.verifier.spans import Span

Part = dict[str, Any]

MISSTATED, INCOMPLETE, HEADER = "clip_misstated", "clip_incomplete", "clip_header_differs"
_CODECS = {b"avc1": "h264", b"avc3": "h264", b"hev1": "hevc", b"hvc1": "hevc"}
UNDECODABLE = "undecodable"
_ABOUT = {"frames", "gaps", "others"}
_MOST_LOOKS = 20_000_000
_MOST_PAIRS = 2_000_000
_MOST_SAMPLES = 500_000_000


def _layout_1(segments: list[Segment], start: int, end: int) -> tuple[Cut, bytes]:
    return _made(Cut(), segments, start, end)


def _layout_2(segments: list[Segment], start: int, end: int) -> tuple[Cut, bytes]:
    return _made(Cut(sound=SoundCut()), segments, start, end)


def _made(cut: Cut, segments: list[Segment], start: int, end: int) -> tuple[Cut, bytes]:
    cut.add(segments, start, end)
    if cut.start is None:
        raise BadMp4("its originals show no frame of the span asked for")
    return cut, make_head(cut)


LAYOUTS = {1: _layout_1, 2: _layout_2}
"""Every layout of clips that was ever published: what originals, in order, show of a span, and the header of
that clip. ``evidence.json`` names one in ``clip_layout``; where it names none, it is 1."""


class Rebuilt:
    """One clip, made anew when the last original that it concerns has been read.

    ``wanted`` are these originals by path, as ``evidence.json`` lists them; ``head`` is the length and
    SHA-256 of the clip's own header.
    """

    def __init__(self, stated: Part, part: Part, wanted: dict[str, Part], head: tuple[int, bytes]) -> None:
        self._stated, self._part, self._head = stated, part, head
        self._layout = LAYOUTS[stated.get("clip_layout", 1)]
        self._asked: Span = _span(part["asked"])
        self._cameras = {path: original["camera"] for path, original in wanted.items()}
        self._named = list(dict.fromkeys(piece["original"] for piece in part["pieces"]))
        self._segments: dict[str, Segment] = {}
        self._by_number: dict[tuple[str, int], list[Segment]] = {}
        self._waiting = set(wanted)
        self._found: list[tuple[str, str]] = []
        self._other_head = b""

    def take(self, path: str, segment: Segment | str) -> None:
        """The next original, or the reason why it cannot be used."""
        self._waiting.discard(path)
        if isinstance(segment, Segment):
            self._segments[path] = segment
            self._by_number.setdefault((segment.run, segment.seq), []).append(segment)
        else:
            self._found.append((HEADER, f"it cannot be made anew, because of {path}: {segment}"))
        if not self._waiting:
            self._settle()
            self._segments, self._by_number = {}, {}

    def problems(self, container: Container) -> Iterable[tuple[str, str]]:
        """The problems of the clip, as code and detail, after the last original."""
        for path in sorted(self._waiting):
            self.take(path, "it has no header")
        yield from self._found
        if self._other_head:
            try:
                head = read_head(container.chunks(self._part["path"]), container.sizes[self._part["path"]])
            except Broken as error:
                yield HEADER, error.detail
                return
            yield HEADER, where_differs(head, self._other_head)

    def _misstated(self, what: str, stated: Any, found: Any) -> None:
        if stated != found:
            self._found.append((MISSTATED, f"{what}: stated {stated}, found {found}"))

    def _settle(self) -> None:
        """Make the clip, and compare everything that follows from it."""
        self._check_place()
        segments = [self._segments[path] for path in self._named if path in self._segments]
        if len(segments) < len(self._named):
            return  # found already
        try:
            self._compare(*self._layout(segments, *self._asked))
        except (BadMp4, ValueError) as error:
            self._found.append((HEADER, f"it cannot be made anew: {error}"))

    def _compare(self, cut: Cut, head: bytes) -> None:
        if (len(head), hashlib.sha256(head).digest()) != self._head:
            self._other_head = head
        self._check_pieces(cut, len(head))
        self._check_figures(cut)
        self._check_gaps([*cut.undecodable, *self._check_complete(cut)])
        self._check_others()

    def _check_place(self) -> None:
        """The camera, the path and the span asked for."""
        for path in self._named:
            self._misstated(f"the camera of {path}", self._part["camera"], self._cameras[path])
        folder = (*self._named[0].split("/"), "", "")[2]
        if not re.match(rf"data/derivative/clip-{re.escape(folder)}(_p\d+)?\.mp4\Z", self._part["path"]):
            self._found.append((MISSTATED, f"its path is not that of a clip of {folder}"))
        start, end = _span(self._stated["span"])
        if not start <= self._asked[0] < self._asked[1] <= end:
            self._found.append((MISSTATED, "the span asked for is not in the span of the package"))

    def _check_pieces(self, cut: Cut, length: int) -> None:
        stated = self._part["pieces"]
        self._misstated("the number of pieces", len(stated), len(cut.pieces))
        latest = 0
        for number, (piece, one) in enumerate(zip(stated, cut.pieces), 1):
            found = {
                "original": one.original,
                "original_offset": one.original_offset,
                "clip_offset": length,
                "length": one.length,
                "from": times.show(one.start),
                "to": times.show(one.end),
                "track": one.track,
            }
            length += one.length
            piece = {"track": "pictures", **piece}
            told = [name for name, value in found.items() if piece[name] != value]
            if told:
                self._misstated(f"{told[0]} of piece {number}", piece[told[0]], found[told[0]])
                return
            if one.frames and one.start < latest:
                self._found.append((MISSTATED, f"piece {number} is older than the one before it"))
                return
            latest = one.start if one.frames else latest

    def _check_figures(self, cut: Cut) -> None:
        part = self._part
        start = cut.start or 0
        self._misstated("actual", part["actual"], _stated((start, max(cut.end, start + 1))))
        self._misstated("hidden.frames", part["hidden"]["frames"], cut.hidden)
        self._misstated("hidden.preroll_us", part["hidden"]["preroll_us"], _in_us(cut.preroll))
        self._misstated("hidden.tail_us", part["hidden"]["tail_us"], _in_us(cut.tail))
        sound = cut.sound.hidden_us if cut.sound is not None and cut.sound.chunks else None
        self._misstated("hidden.sound_us", part["hidden"].get("sound_us"), sound)
        self._misstated("about.frames", part["about"].get("frames"), cut.frames)
        codec = _CODECS.get(cut.entries[0][4:8], "")
        self._misstated("derivation.codec", part["derivation"]["codec"], codec)

    def _check_complete(self, cut: Cut) -> list[Span]:
        """Report originals with frames that the clip lacks; returns spans that none of them can show."""
        covered = spans.union(self._covered(piece) for piece in cut.pieces if piece.frames)
        lost: list[Span] = []
        for path, one in self._segments.items():
            left = _uncovered(one, self._asked, covered)
            if not left:
                continue
            undecodable = self._undecodable(one)
            if undecodable is None or not undecodable[0] <= left[0] <= left[1] < undecodable[1]:
                self._found.append((INCOMPLETE, f"{path}: from {times.show(left[0])} on"))
            elif path not in self._named:
                lost.append(undecodable)
        return lost

    def _covered(self, piece: CutPiece) -> Span:
        """The time that a piece covers: a frame lasts until the next one of its original.

        So it begins after the frame before the first one shown, which is earlier than the span asked for.
        """
        one = self._segments[piece.original]
        low = one.tick(piece.start)
        before = max((at for at in one.pts if at < low), default=None)
        return piece.start if before is None else one.wall(before) + 1, piece.end

    def _undecodable(self, one: Segment) -> Span | None:
        """The span of an original's first frames asked for, where no sync before them was recorded."""
        end = min(self._asked[1], one.end)
        shown = one.earliest(one.tick(self._asked[0]), one.tick(end))
        if shown is None or one.sync_for(shown) is not None:
            return None
        for other in self._by_number.get((one.run, one.seq - 1), ()):
            if other.goes_on_in(one) and other.sync_for(shown) is not None:
                return None
        syncs = one.header.syncs
        decodable = one.earliest(one.pts[syncs[0]], one.tick(end)) if syncs else None
        return one.wall(shown), end if decodable is None else one.wall(decodable)

    def _check_gaps(self, undecodable: list[Span]) -> None:
        """The gaps that the clip's own description lists: those of the camera, and what cannot be decoded."""
        gaps = [(*_span(gap), gap["cause"]) for gap in self._stated["gaps"]
                if gap["camera"] == self._part["camera"]]  # fmt: skip
        found = [*gaps, *((*span, UNDECODABLE) for span in spans.union(undecodable))]
        inside = [(max(one[0], self._asked[0]), min(one[1], self._asked[1]), one[2]) for one in found]
        expected = [{**_stated(one[:2]), "cause": one[2]} for one in sorted(inside) if one[0] < one[1]]
        self._misstated("about.gaps", self._part["about"].get("gaps"), expected)

    def _check_others(self) -> None:
        """The runs that have footage where the clip shows another run, and nothing else that is stated."""
        shown = [self._segments[path] for path in self._named]
        runs = {one.run for one in shown}
        footage = [(one.start, one.end) for one in shown]
        own: dict[str, list[Span]] = {}
        for one in self._segments.values():
            if one.run not in runs:
                own.setdefault(one.run, []).append((one.start, one.end))
        found = [
            (*span, run)
            for run, parts in own.items()
            for span in spans.both(spans.both(parts, footage), [self._asked])
        ]
        expected = [{**_stated(one[:2]), "run": one[2]} for one in sorted(found)]
        self._misstated("about.others", self._part["about"].get("others", []), expected)
        self._misstated("about", sorted({*self._part["about"], *_ABOUT}), sorted(_ABOUT))


class Rebuilding:
    """Clips of a package and the originals that each of them concerns.

    Work is bounded, because a package may be hostile: past the bounds a clip cannot be made anew.
    """

    def __init__(self, container: Container, stated: Part) -> None:
        self.clips: dict[str, Rebuilt] = {}
        self._container = container
        self._stated = stated
        self._concerned: dict[str, list[Rebuilt]] = {}
        self._originals = {part["path"]: part for part in stated.get("originals", ())}
        self._by_camera: dict[str, list[Part]] = {}
        for one in self._originals.values():
            self._by_camera.setdefault(one["camera"], []).append(one)
        self._lines: tuple[str, list[bytes]] = ("", [])
        self._looks, self._pairs, self._samples = _MOST_LOOKS, _MOST_PAIRS, _MOST_SAMPLES

    def add(self, part: Part, head: tuple[int, bytes]) -> None:
        """A clip whose pieces tile it; nothing is made of it where its layout is unknown."""
        named = {piece["original"] for piece in part["pieces"]}
        if self._stated.get("clip_layout", 1) not in LAYOUTS or not named <= set(self._originals):
            return
        own = self._by_camera.get(part["camera"], [])
        self._looks -= len(own)
        if self._looks < 0:
            raise Broken("bad_clip", "the package has more clips of these originals than can be checked")
        wanted = {one["path"]: one for one in own if _concerns(part, one)}
        wanted.update((path, self._originals[path]) for path in named)
        before = {(one["run"], one["seq"] - 1) for one in wanted.values()}
        wanted.update((one["path"], one) for one in own if (one["run"], one["seq"]) in before)
        self.clips[part["path"]] = made = Rebuilt(self._stated, part, wanted, head)
        self._pairs -= len(wanted)
        if self._pairs < 0:
            raise Broken("bad_clip", "the clips of the package have more originals than can be checked")
        for path in wanted:
            self._concerned.setdefault(path, []).append(made)

    def header_of(self, path: str) -> Callable[[bytes], None] | None:
        """Takes the header of an original, with its first byte first; None where no clip needs it."""
        concerned = self._concerned.get(path)
        if not concerned:
            return None
        line = self._leaf(self._originals[path])

        def take(head: bytes) -> None:
            segment = _segment(path, head, line)
            for one in concerned:
                self._samples -= segment.samples if isinstance(segment, Segment) else 0
                one.take(path, segment if self._samples >= 0 else "the clips have too many samples in all")

        return take

    def _leaf(self, original: Part) -> bytes:
        """The leaf of an original, or nothing; those of one camera are in one part."""
        if self._lines[0] != original["leaf"]:
            self._lines = original["leaf"], []
            with suppress(Unreadable):  # the step that reads all leaves reports it
                self._lines = original["leaf"], self._container.small(original["leaf"]).split(b"\n")
        number = original["leaf_line"]
        return self._lines[1][number - 1] if number <= len(self._lines[1]) else b""


def _segment(path: str, head: bytes, line: bytes) -> Segment | str:
    """An original for the layout, or the reason why it cannot be used."""
    try:
        found = leaf.read(line)
        if found.kind != "segment":
            return "its leaf is not that of a segment"
        return Segment(path, read_header(head), found.fields)
    except Broken as error:
        return f"its leaf cannot be read: {error.detail}"
    except (BadMp4, OverflowError) as error:
        return str(error)


def _concerns(part: Part, original: Part) -> bool:
    """Whether an original is of the clip's camera and in the span asked for; times sort as their texts."""
    asked = part["asked"]
    inside: bool = original["from"] < asked["to"] and original["to"] > asked["from"]
    return inside and original["camera"] == part["camera"]


def _uncovered(one: Segment, asked: Span, covered: list[Span]) -> Span | None:
    """The wall times of the first and the last frame of an original that are asked for and not covered."""
    low, high = one.tick(asked[0]), one.tick(min(asked[1], one.end))
    walls = sorted(one.wall(at) for at in one.pts if low <= at < high)
    if not walls or any(start <= walls[0] and walls[-1] < end for start, end in covered):
        return None
    starts = [start for start, _ in covered]
    left = [at for at in walls if not any(at < end for _, end in covered[: bisect_right(starts, at)][-1:])]
    return (left[0], left[-1]) if left else None


def _span(part: Part) -> Span:
    return times.parse(part["from"]), times.parse(part["to"])


def _stated(span: Span) -> Part:
    return {"from": times.show(span[0]), "to": times.show(span[1])}


def _in_us(ticks: int) -> int:
    """Rounded up."""
    return -(-ticks * 1_000_000 // TICKS)
