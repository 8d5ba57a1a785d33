"""The table of a city's areas: read from CSV, and counted over cameras.

``makassar.csv`` is the table of Makassar (73.71): one city, 15 kecamatan, 153 kelurahan.
``docs/guide/cameras.md`` names its source.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.model.areas import Area, Areas, Level
from archive.model.camera import Place

COLUMNS = ("code", "name", "level")
_HINT = f"The first line is {','.join(COLUMNS)}; levels are {', '.join(Level)}."


def read_areas(path: Path | None) -> Areas:
    """The areas in a file; without one, those of Makassar.

    Raises:
        Malformed: ``bad_areas``: the file cannot be read, or is no such table.
    """
    if path is None:
        return parse_areas((files("archive.footage") / "makassar.csv").read_text("utf-8"))
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"the table of areas {path} cannot be read", code="bad_areas", hint=_HINT) from error
    return parse_areas(text)


def parse_areas(text: str) -> Areas:
    """The areas of a CSV text with the columns of :data:`COLUMNS`. Raises Malformed ``bad_areas``."""
    found: list[Area] = []
    try:
        reader = csv.DictReader(text.splitlines(), strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise Malformed("the table of areas has another first line", code="bad_areas", hint=_HINT)
        for row in reader:
            found.append(_area(row, reader.line_num))
    except csv.Error as error:
        raise Malformed(f"the table of areas is not CSV: {error}", code="bad_areas", hint=_HINT) from error
    return Areas(found)


def _area(row: dict[str, str], line: int) -> Area:
    cells = [row.get(name) for name in COLUMNS]
    if None in row or None in cells:
        raise Malformed(
            f"line {line} of the table of areas has not {len(COLUMNS)} cells", code="bad_areas", hint=_HINT
        )
    code, name, level = (str(cell).strip() for cell in cells)
    if level not in set(Level):
        raise Malformed(
            f"line {line} of the table of areas has the level {level[:40]!r}", code="bad_areas", hint=_HINT
        )
    return Area(code, name, Level(level))


def area_tree(areas: Areas, places: Iterable[Place]) -> JsonObject:
    """The areas as a tree, each with the number of the cameras that stand at ``places`` in it.

    ``unlisted`` counts the cameras of kecamatan that the table lacks, by code.
    """
    standing = list(places)
    in_kecamatan = Counter(place.kecamatan for place in standing)
    in_kelurahan = Counter(place.kelurahan for place in standing)

    def branch(area: Area) -> JsonObject:
        shown: JsonObject = {"code": area.code, "name": area.name, "level": area.level.value}
        if area.level is Level.KELURAHAN:
            return {**shown, "cameras": in_kelurahan[area.code]}
        inside = [branch(one) for one in areas.children(area.code)]
        if area.level is Level.KECAMATAN:
            return {**shown, "cameras": in_kecamatan[area.code], "kelurahan": inside}
        return {**shown, "cameras": sum(one["cameras"] for one in inside), "kecamatan": inside}

    unlisted = {code: count for code, count in in_kecamatan.items() if not areas.has(Level.KECAMATAN, code)}
    return {
        "cities": [branch(area) for area in areas.cities()],
        "unlisted": [{"code": code, "cameras": count} for code, count in sorted(unlisted.items())],
    }
