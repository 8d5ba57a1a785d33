"""The areas of a city: its kecamatan and kelurahan, by official code and by name.

Codes are those of the Ministry of Home Affairs (Kemendagri): ``73.71`` is a city, ``73.71.04`` a kecamatan in
it, ``73.71.04.1005`` a kelurahan in that. The code says the level and the parents.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from archive.errors import Malformed

AREA_CODE = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?\Z", re.ASCII)
"""A code of any level, a province's included."""
_SHOWN = 40
_LISTED = 10


class Level(StrEnum):
    """What an area is. Its code has two, three or four parts."""

    CITY = "city"
    KECAMATAN = "kecamatan"
    KELURAHAN = "kelurahan"


_PARTS = {2: Level.CITY, 3: Level.KECAMATAN, 4: Level.KELURAHAN}


@dataclass(frozen=True, slots=True)
class Area:
    """A city, a kecamatan or a kelurahan.

    Raises:
        Malformed: ``bad_areas``: the code is not one of the level, or the name is no printable text.
    """

    code: str
    name: str
    level: Level

    def __post_init__(self) -> None:
        parts = _PARTS.get(self.code.count(".") + 1)
        if AREA_CODE.match(self.code) is None or parts is not self.level:
            raise Malformed(f"{self.code[:_SHOWN]!r} is not the code of a {self.level}", code="bad_areas")
        if not (_folded(self.name) and self.name.isprintable() and len(self.name) <= 200):
            raise Malformed(f"area {self.code} has no printable name", code="bad_areas")

    @property
    def parent(self) -> str:
        """The code of the area that this one is part of; of a city, its province's."""
        return self.code.rpartition(".")[0]


class Areas:
    """The areas of a city, or none, in the order of codes. Immutable; iterates over :class:`Area`.

    Raises:
        Malformed: ``bad_areas``: a code stands twice, or a kecamatan's city or a kelurahan's kecamatan is
            missing.
    """

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        self._by_code: dict[str, Area] = {}
        for area in sorted(areas, key=lambda one: one.code):
            if area.code in self._by_code:
                raise Malformed(f"area {area.code} is listed twice", code="bad_areas")
            self._by_code[area.code] = area
        self._children: dict[str, list[Area]] = {}
        self._by_name: dict[tuple[Level, str], list[Area]] = {}
        for area in self._by_code.values():
            if area.level is not Level.CITY and area.parent not in self._by_code:
                raise Malformed(f"area {area.code} is listed without {area.parent}", code="bad_areas")
            self._children.setdefault(area.parent, []).append(area)
            self._by_name.setdefault((area.level, _folded(area.name)), []).append(area)

    def __iter__(self) -> Iterator[Area]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def get(self, code: str) -> Area | None:
        """The area of a code; None for a code that is not listed."""
        return self._by_code.get(code)

    def has(self, level: Level, code: str) -> bool:
        """Whether a code is that of a listed area of the level."""
        found = self._by_code.get(code)
        return found is not None and found.level is level

    def name(self, code: str) -> str:
        """The name of an area; "" for a code that is not listed."""
        found = self._by_code.get(code)
        return "" if found is None else found.name

    def cities(self) -> tuple[Area, ...]:
        """The areas that are part of no other."""
        return tuple(area for area in self if area.level is Level.CITY)

    def children(self, code: str) -> tuple[Area, ...]:
        """The areas directly inside an area, by code."""
        return tuple(self._children.get(code, ()))

    def parents(self, code: str) -> tuple[Area, ...]:
        """The areas that an area is part of, the city first; empty for a code that is not listed."""
        found: list[Area] = []
        area = self._by_code.get(code)
        while area is not None:
            area = self._by_code.get(area.parent)
            if area is not None:
                found.insert(0, area)
        return tuple(found)

    def found(self, level: Level, text: str, *, within: str = "") -> str | None:
        """The code that a text means: the text itself if it is a code, listed or not, else the area's.

        Names are compared without case, blanks, hyphens and apostrophes. ``within`` is the code of an area
        to look in. None if the text is neither a code nor the name of an area there.

        Raises:
            Malformed: ``ambiguous_area``: several areas have that name; the hint lists their codes.
        """
        text = text.strip()
        if AREA_CODE.match(text) is not None:
            return text
        named = [
            area
            for area in self._by_name.get((level, _folded(text)), ())
            if not within or area.code.startswith(f"{within}.")
        ]
        if len(named) > 1:
            codes = ", ".join(self._described(area) for area in named[:_LISTED])
            raise Malformed(
                f"{level} {text[:_SHOWN]!r} is the name of {len(named)} areas",
                code="ambiguous_area",
                hint=f"Give the code: {codes}.",
            )
        return named[0].code if named else None

    def codes(self, level: Level, texts: Iterable[str]) -> tuple[str, ...]:
        """The codes of areas to look in, given by code or name; a code passes whether it is listed or not.

        Raises:
            Malformed: ``bad_filter`` for a text that is neither; ``ambiguous_area``.
        """
        found: list[str] = []
        for text in texts:
            code = self.found(level, text)
            if code is None:
                raise Malformed(
                    f"{level} {text[:40]!r} is not an area code or a known name",
                    code="bad_filter",
                    hint="GET /v1/places, or saksi places list, has every code and name.",
                )
            found.append(code)
        return tuple(found)

    def kecamatan(self, text: str) -> str:
        """The code of a kecamatan by code or name. Raises Malformed ``bad_place``, ``ambiguous_area``."""
        return self._known(Level.KECAMATAN, text, self.found(Level.KECAMATAN, text))

    def kelurahan(self, text: str, *, kecamatan: str) -> str:
        """The code of a kelurahan by code, or by its name in a kecamatan. Raises as :meth:`kecamatan`."""
        return self._known(Level.KELURAHAN, text, self.found(Level.KELURAHAN, text, within=kecamatan))

    def _known(self, level: Level, text: str, code: str | None) -> str:
        if code is not None:
            return code
        example = "73.71.13" if level is Level.KECAMATAN else "73.71.13.1001"
        elsewhere = self._by_name.get((level, _folded(text)), [])
        hint = f"It looks like {example}."
        if elsewhere:
            found = ", ".join(self._described(area) for area in elsewhere[:_LISTED])
            hint = f"In another kecamatan: {found}."
        elif self._by_code:
            hint = f"Give a code such as {example}, or a name that saksi places list shows."
        raise Malformed(
            f"{level} {text[:_SHOWN]!r} is not an area code or a known name", code="bad_place", hint=hint
        )

    def _described(self, area: Area) -> str:
        return f"{area.code} ({', '.join((area.name, *(one.name for one in self.parents(area.code)[1:])))})"


def _folded(name: str) -> str:
    """A name without what people write differently: case, blanks, hyphens, apostrophes."""
    return "".join(one for one in unicodedata.normalize("NFKC", name).casefold() if one.isalnum())


NO_AREAS = Areas()
"""For an installation without a table: codes are taken as they are, and names are not known."""
