"""Which cameras a question about a place is about: filters over stays, and what each camera saw of the place.

Everything here is judged in memory, over stays (:mod:`search.stays`); no index is asked. A camera that moved
within the span gives a *sighting* for each stay, because it saw something else from each.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.errors import Malformed
from archive.ids import check_name
from archive.model.areas import AREA_CODE
from archive.model.camera import OwnerKind
from archive.model.stay import Facts, Stay
from archive.timespan import Timespan
from search.areas import Area, Direction
from search.query import MAX_FILTER

MAX_TEXT, MAX_WORDS = 100, 10


class InView(StrEnum):
    """Which sightings to keep: any, those in view or possibly so, or only those in view."""

    ANY = "any"
    POSSIBLE = "possible"
    ONLY = "only"


class View(StrEnum):
    """Whether a camera saw the area. A camera whose sight nobody has stated is ``unknown``, never ``no``."""

    YES = "yes"
    UNKNOWN = "unknown"
    NO = "no"


_RANKS: Mapping[View | None, int] = {None: 0, View.YES: 0, View.UNKNOWN: 1, View.NO: 2}
_KEPT: Mapping[InView, Collection[View | None]] = {
    InView.ANY: (None, View.YES, View.UNKNOWN, View.NO),
    InView.POSSIBLE: (View.YES, View.UNKNOWN),
    InView.ONLY: (View.YES,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFilter:
    """Filters on cameras; None admits everything, and a camera must pass all that are given.

    ``area`` keeps cameras that stand in it, and cameras elsewhere whose sight reaches it. ``words`` are those
    of :func:`words_of`; each must occur in the name or the address.

    Raises:
        Malformed: ``bad_id``; ``bad_filter`` for an invalid area code or more than 1,000 values;
            ``no_area_to_view``: ``in_view`` without an area.
    """

    area: Area | None = None
    kecamatan: tuple[str, ...] | None = None
    kelurahan: tuple[str, ...] | None = None
    owners: tuple[OwnerKind, ...] | None = None
    cameras: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    in_view: InView = InView.ANY

    def __post_init__(self) -> None:
        for values in (self.kecamatan, self.kelurahan, self.owners, self.cameras):
            if values is not None and len(values) > MAX_FILTER:
                raise Malformed(
                    f"a filter has {len(values)} values",
                    code="bad_filter",
                    hint=f"Give at most {MAX_FILTER}, or filter by place.",
                )
        for camera in self.cameras or ():
            check_name("camera", camera)
        for code in (*(self.kecamatan or ()), *(self.kelurahan or ())):
            if AREA_CODE.match(code) is None:
                raise Malformed(
                    f"{code[:40]!r} is not an area code", code="bad_filter", hint="It looks like 73.71.13."
                )
        if self.area is None and self.in_view is not InView.ANY:
            raise Malformed(
                "no area is given that a camera could have in view",
                code="no_area_to_view",
                hint="Add near, box, polygon or route, or leave in_view out.",
            )

    def written(self) -> dict[str, str]:
        """The filters in the words of a request, for the custody record and for cursors."""
        found = {
            **(self.area.written() if self.area is not None else {}),
            "kecamatan": ",".join(self.kecamatan or ()),
            "kelurahan": ",".join(self.kelurahan or ()),
            "owner": ",".join(self.owners or ()),
            "text": " ".join(self.words),
            "in_view": "" if self.in_view is InView.ANY else self.in_view.value,
        }
        return {name: text for name, text in found.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one camera saw of the asked place from one stay, in the part of the span that it stayed there.

    ``view`` is None if no area was asked about, and ``direction`` if the area is no point or line.
    """

    camera: str
    part: Timespan
    facts: Facts
    view: View | None
    stands_in: bool
    direction: Direction | None

    @property
    def key(self) -> tuple[int, int, str, int]:
        """The order of sightings: view, then distance in mm, then camera and time. It never changes."""
        away = 0 if self.direction is None else round(self.direction.distance_m * 1000)
        return _RANKS[self.view], away, self.camera, self.part.start


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search text, folded: without case, accents and punctuation.

    Raises:
        Malformed: ``bad_text`` for one without a letter or digit, with control characters, of more than 100
            characters or of more than 10 words.
    """
    if len(text) > MAX_TEXT or not text.isprintable():
        raise _bad_text(f"a text of {len(text)} characters cannot be searched")
    words = tuple(dict.fromkeys(_folded(text).split()))
    if not words or len(words) > MAX_WORDS:
        raise _bad_text(f"a text of {len(words)} words cannot be searched")
    return words


def sightings(
    stays: Mapping[str, tuple[Stay, ...]],
    wanted: CameraFilter,
    span: Timespan,
    districts: Collection[str] | None = None,
) -> list[Sighting]:
    """Every sighting of the span that passes the filters, in the order of :attr:`Sighting.key`.

    Without ``districts`` every stay counts, else only those in these kecamatan. Stays that follow one another
    at the same place and with the same sight are one sighting, with the later name.
    """
    asked = stays if wanted.cameras is None else {one: stays[one] for one in wanted.cameras if one in stays}
    found = [one for of_camera in asked.values() for one in _joined(_of(of_camera, wanted, span, districts))]
    return sorted(found, key=lambda one: one.key)


def check_codes(
    stays: Mapping[str, tuple[Stay, ...]],
    wanted: CameraFilter,
    districts: Collection[str] | None = None,
) -> None:
    """Refuse a code that no camera ever stood in. Raises Malformed ``unknown_area``."""
    if wanted.kecamatan is None and wanted.kelurahan is None:
        return
    places = [
        stay.facts.place
        for of_camera in stays.values()
        for stay in of_camera
        if districts is None or stay.facts.place.kecamatan in districts
    ]
    known = {one.kecamatan for one in places}, {one.kelurahan for one in places}
    asked = wanted.kecamatan or (), wanted.kelurahan or ()
    unknown = [code for codes, there in zip(asked, known, strict=True) for code in codes if code not in there]
    if unknown:
        raise Malformed(
            f"no camera that you may see ever stood in {', '.join(unknown[:5])}",
            code="unknown_area",
            hint="Check the code: two digits for each level, four for the kelurahan, as in 73.71.13.1001.",
        )


def _of(
    stays: Iterable[Stay], wanted: CameraFilter, span: Timespan, districts: Collection[str] | None
) -> Iterator[Sighting]:
    for stay in stays:
        part = stay.within(span)
        if part is None or not _admits(wanted, stay.facts, districts):
            continue
        found = _seen(stay, part, wanted)
        if found is not None and found.view in _KEPT[wanted.in_view]:
            yield found


def _admits(wanted: CameraFilter, facts: Facts, districts: Collection[str] | None) -> bool:
    place = facts.place
    return (
        (districts is None or place.kecamatan in districts)
        and (wanted.kecamatan is None or place.kecamatan in wanted.kecamatan)
        and (wanted.kelurahan is None or place.kelurahan in wanted.kelurahan)
        and (wanted.owners is None or place.owner in wanted.owners)
        and (not wanted.words or _has_words(facts, wanted.words))
    )


def _seen(stay: Stay, part: Timespan, wanted: CameraFilter) -> Sighting | None:
    """The sighting, or None for a camera that neither stands in the area nor sees it."""
    facts, area = stay.facts, wanted.area
    if area is None:
        return Sighting(camera=stay.camera, part=part, facts=facts, view=None, stands_in=True, direction=None)
    stands_in = area.stands_in(facts.point)
    is_seen = facts.sight is not None and area.is_seen(facts.point, facts.sight)
    if not (stands_in or is_seen):
        return None
    view = View.UNKNOWN if facts.sight is None else View.YES if is_seen else View.NO
    return Sighting(
        camera=stay.camera,
        part=part,
        facts=facts,
        view=view,
        stands_in=stands_in,
        direction=area.direction(facts.point),
    )


def _joined(found: Iterable[Sighting]) -> Iterator[Sighting]:
    """Sightings that follow one another from one place, with one sight, as one."""
    last: Sighting | None = None
    for one in found:
        if last is not None and last.part.end == one.part.start and _looks_the_same(last.facts, one.facts):
            last = Sighting(
                camera=one.camera,
                part=Timespan(last.part.start, one.part.end),
                facts=one.facts,
                view=one.view,
                stands_in=one.stands_in,
                direction=one.direction,
            )
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _looks_the_same(one: Facts, other: Facts) -> bool:
    return one.place == other.place and one.sight == other.sight


def _has_words(facts: Facts, words: Iterable[str]) -> bool:
    text = _folded(f"{facts.name} {facts.address}")
    return all(word in text for word in words)


def _folded(text: str) -> str:
    """Letters and digits alone, without case and accents; everything else is a blank."""
    plain = unicodedata.normalize("NFKD", text)
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in "".join(kept).casefold())


def _bad_text(message: str) -> Malformed:
    return Malformed(
        message,
        code="bad_text",
        hint=f"Give up to {MAX_WORDS} words of a name or address, at most {MAX_TEXT} characters.",
    )
