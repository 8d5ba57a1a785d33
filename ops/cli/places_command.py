"""``saksi places``: the city's kecamatan and kelurahan."""

from collections.abc import Iterator
from typing import Annotated

import typer

from archive.canonical import JsonObject
from archive.footage.area_table import area_tree
from ops.cli.options import Json, open_site
from ops.cli.output import note, print_json, print_table

app = typer.Typer(help="Kecamatan and kelurahan by code and name.", no_args_is_help=True)

_INSIDE = {"city": "kecamatan", "kecamatan": "kelurahan"}


@app.callback()
def _group() -> None:
    """Kecamatan and kelurahan by code and name."""


@app.command("list")
def list_(
    kelurahan: Annotated[bool, typer.Option("--kelurahan/--no-kelurahan", help="Show kelurahan too.")] = True,
    json_: Json = False,
) -> None:
    """List the city's areas, each with the number of cameras there."""
    with open_site() as site:
        tree = area_tree(site.areas, [camera.place for camera in site.registry.cameras()])
    if json_:
        print_json(tree)
        return
    rows = [row for city in tree["cities"] for row in _rows(city, 0, kelurahan=kelurahan)]
    print_table(("CODE", "NAME", "LEVEL", "CAMERAS"), rows)
    for one in tree["unlisted"]:
        note(f"{one['cameras']} cameras name {one['code']}, which the table of areas lacks.")


def _rows(area: JsonObject, depth: int, *, kelurahan: bool) -> Iterator[tuple[str, ...]]:
    yield (area["code"], "  " * depth + area["name"], area["level"], str(area["cameras"]))
    inside = _INSIDE.get(area["level"], "")
    if inside == "kelurahan" and not kelurahan:
        return
    for one in area.get(inside, ()):
        yield from _rows(one, depth + 1, kelurahan=kelurahan)
