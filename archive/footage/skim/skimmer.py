"""The skimmer: what a part shows, from the cache or made now from its keyframes.

1. Read the headers of the part's segments; choose keyframes (:mod:`archive.footage.skim.keyframes`).
2. Fetch exactly their bytes, and decode them confined (:mod:`archive.footage.skim.decoding`).
3. Compare them (:mod:`archive.footage.skim.grid`), and fill a sheet.
4. Store both in the cache; then read the part's name again. If footage was disposed of meanwhile, the name
   differs, and what was stored is removed.

A sheet alone needs one keyframe of each slot, so it is quick to make. The pass for the activity makes it only
if it is missing.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from archive.errors import IntegrityError
from archive.footage.clip.footage import HeaderSource, StoredHeaders
from archive.footage.skim.cache import Kind, SkimCache
from archive.footage.skim.decoding import SHEET_COLUMNS, WIDTH, Decoder, height_of
from archive.footage.skim.grid import steps_of
from archive.footage.skim.keyframes import (
    SLOTS,
    Damage,
    Keyframe,
    keyframes_for_sheets,
    keyframes_in,
    slot_of,
)
from archive.footage.skim.made import Activity, Sheet
from archive.footage.skim.parts import LEAD, Part, read_part
from archive.ports import ObjectStore, SegmentIndex
from archive.prefetch import in_order
from archive.timespan import SpanSet, Timespan

_LONGEST_STEP = LEAD
"""Keyframes further apart (µs) are not compared."""


@dataclass(frozen=True, slots=True)
class Skimmer:
    """Skims parts of one archive. Thread-safe; ``pool`` reads from a store behind a network in parallel.

    ``headers`` gives the headers of segments; without it they are read from the segments themselves.
    """

    index: SegmentIndex
    footage: ObjectStore
    cache: SkimCache
    decoder: Decoder
    pool: Executor | None = None
    headers: HeaderSource | None = None

    def giving_way(self, niceness: int) -> "Skimmer":
        """The same, at a lower priority."""
        return replace(self, decoder=self.decoder.giving_way(niceness))

    def activity(self, part: Part) -> Activity:
        """The activity of a part, from the cache or made now; the sheet is made with it if it is missing.

        Segments that cannot be read are named in the answer.

        Raises:
            Unavailable: a store does not answer; ``ffmpeg_missing``, ``ffmpeg_timeout``,
                ``decoder_not_confined``; ``client_left``.
        """
        return self.cached(part) or self._make_activity(part)

    def cached(self, part: Part) -> Activity | None:
        """The activity of a part if nothing need be made for it, else None. Raises as the store."""
        if part.recorded is None:
            return Activity(part.start, ())
        self.cache.mark_used(part.camera, part.start)
        return self.cache.activity(part)

    def sheets(self, parts: Sequence[Part]) -> list[Sheet]:
        """The sheets of parts, in order; those that are missing are made together.

        A sheet without a picture has an empty JPEG, and is not kept. Raises Unavailable as :meth:`activity`.
        """
        found = self.cached_sheets(parts)
        made = self.make_sheets([part for part in parts if part.start not in found])
        found |= {sheet.start: sheet for sheet in made}
        return [found[start] for start in sorted(found)]

    def cached_sheets(self, parts: Sequence[Part]) -> dict[int, Sheet]:
        """The sheets for which nothing need be made, by the start of their part. Raises as the store."""
        for part in parts:
            if part.recorded is not None:  # else no mark either: the past has no end
                self.cache.mark_used(part.camera, part.start)
        found = in_order(self._cached_sheet, parts, self.pool)
        return {sheet.start: sheet for sheet in found if sheet is not None}

    def make_sheets(self, parts: Sequence[Part]) -> list[Sheet]:
        """Make the sheets of parts together. Raises Unavailable as :meth:`activity`."""
        chosen = keyframes_for_sheets(parts, self._headers)
        return self._make_sheets(list(zip(parts, chosen, strict=True)))

    def _cached_sheet(self, part: Part) -> Sheet | None:
        return _empty(part) if part.recorded is None else self.cache.sheet(part)

    @property
    def _headers(self) -> HeaderSource:
        return self.headers or StoredHeaders(self.footage, self.pool)

    def _make_activity(self, part: Part) -> Activity:
        found = keyframes_in(part, self._headers)
        keyframes, damaged, for_sheet = found.looked_at, found.damaged, frozenset(found.for_sheet)
        cells: list[tuple[int, bytes]] = []
        undecodable: list[int] = []
        tiles: list[tuple[int, bytes] | None] = [None] * SLOTS
        height = height_of(keyframes[0].shape) if keyframes else 0
        try:
            for keyframe, picture in self.decoder.pictures(keyframes, self.footage, self.pool, height=height):
                if picture is None:
                    undecodable.append(keyframe.at)
                    continue
                cells.append((keyframe.at, picture.cells))
                if keyframe in for_sheet:
                    tiles[slot_of(part.start, keyframe.at)] = keyframe.at, picture.thumbnail
        except IntegrityError as error:
            # The bytes of one segment are damaged, though its header is not: nothing is concluded from the
            # rest of the part either, and it is not stored.
            return Activity(part.start, (), damaged=(Damage(part.span, error.key, error.code),))
        # Nothing is said about a damaged segment, not even by what is before and after it.
        coverage = part.reading.coverage - SpanSet(one.span for one in damaged)

        def is_joined(between: Timespan) -> bool:
            return between.duration <= _LONGEST_STEP and not coverage.gaps_within(between)

        made = Activity(part.start, tuple(steps_of(cells, is_joined)), tuple(undecodable), tuple(damaged))
        if damaged:
            return made  # not kept: a segment that is put back is looked at again
        self.cache.keep_activity(part, made)
        if any(tiles) and not self.cache.has(part, Kind.SHEET):
            (jpeg,) = self.decoder.sheets([[tile and tile[1] for tile in tiles]], height=height)
            self.cache.keep_sheet(part, _sheet(part, [tile and tile[0] for tile in tiles], height, jpeg))
        self._look_again(part)
        return made

    def _make_sheets(self, missing: Sequence[tuple[Part, list[Keyframe]]]) -> list[Sheet]:
        """Sheets made together; if a segment is damaged, each alone, and that part's shows nothing."""
        try:
            return self._made_together(missing)
        except IntegrityError:
            if len(missing) == 1:
                return [_empty(missing[0][0])]
            return [sheet for one in missing for sheet in self._make_sheets([one])]

    def _made_together(self, missing: Sequence[tuple[Part, list[Keyframe]]]) -> list[Sheet]:
        wanted = [(part, one) for part, keyframes in missing for one in keyframes]
        if not wanted:
            return [_empty(part) for part, _ in missing]
        height = height_of(wanted[0][1].shape)
        tiles: dict[int, list[tuple[int, bytes] | None]] = {part.start: [None] * SLOTS for part, _ in missing}
        pictures = self.decoder.pictures([one for _, one in wanted], self.footage, self.pool, height=height)
        for (part, _), (keyframe, picture) in zip(wanted, pictures, strict=True):
            if picture is not None:
                tiles[part.start][slot_of(part.start, keyframe.at)] = keyframe.at, picture.thumbnail
        shown = [part for part, _ in missing if any(tiles[part.start])]
        jpegs = self.decoder.sheets(
            [[tile and tile[1] for tile in tiles[part.start]] for part in shown], height=height
        )
        made: list[Sheet] = []
        for part, jpeg in zip(shown, jpegs, strict=True):
            sheet = _sheet(part, [tile and tile[0] for tile in tiles[part.start]], height, jpeg)
            self.cache.keep_sheet(part, sheet)
            self._look_again(part)
            made.append(sheet)
        return [*made, *(_empty(part) for part, _ in missing if part not in shown)]

    def _look_again(self, part: Part) -> None:
        """Step 4: nothing stays in the cache of footage that went meanwhile."""
        if read_part(self.index, part.camera, part.start).name != part.name:
            self.cache.drop(part.camera, part.start)


def _sheet(part: Part, tiles: Sequence[int | None], height: int, jpeg: bytes) -> Sheet:
    return Sheet(part.start, WIDTH, height, SHEET_COLUMNS, tuple(tiles), jpeg)


def _empty(part: Part) -> Sheet:
    """The sheet of a part that shows nothing."""
    return _sheet(part, [None] * SLOTS, 0, b"")
