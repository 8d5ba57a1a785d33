"""The ground of the map: tiles from one origin, outlines that are checked, or nothing from anywhere."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request

from api.auth.principal import Principal
from api.headers import PAGES
from api.web import catalogue
from api.web.files import OUTLINES, Assets
from api.web.ground import Ground, origin_of, read_outlines
from api.web.rendering import Pages
from archive.errors import Malformed

TILES = "https://peta.example:8443/{z}/{x}/{y}.png"


def policy_and_text(ground: Ground) -> tuple[str, str]:
    catalogues = catalogue.load()
    assets = Assets(catalogues, outlines=ground.outlines)
    pages = Pages(assets, catalogues, zone="Asia/Makassar", base_path="", ground=ground)
    request = Request(
        {"type": "http", "method": "GET", "path": "/temukan", "query_string": b"", "root_path": "",
         "headers": [(b"host", b"x")], "server": ("x", 80), "scheme": "http"}
    )  # fmt: skip
    answer = pages.render(request, "find", reader=Principal("user:sari"))
    return answer.headers["content-security-policy"], bytes(answer.body).decode()


def test_pages_load_pictures_from_the_tiles_origin_and_from_nowhere_else():
    policy, text = policy_and_text(Ground(tiles=TILES, attribution="Peta <b>kota</b>"))
    assert policy == PAGES.replace("img-src 'self'", "img-src 'self' https://peta.example:8443")
    assert f'data-tiles="{TILES}"' in text
    assert "<b>kota" not in text


def test_without_tiles_nothing_is_opened():
    policy, text = policy_and_text(Ground())
    assert policy == PAGES
    assert "data-tiles" not in text
    assert "data-outlines" not in text
    assert policy_and_text(Ground(tiles="/peta/{z}/{x}/{y}.png"))[0] == PAGES


@pytest.mark.parametrize(
    "address",
    [
        "https://peta.example/{z}/{x}.png",
        "https://{s}.peta.example/{z}/{x}/{y}.png",
        "https://ada:rahasia@peta.example/{z}/{x}/{y}.png",
        "https://peta.example; script-src */{z}/{x}/{y}.png",
        "https://peta.example https://other.example/{z}/{x}/{y}.png",
        "javascript:{z}{x}{y}",
        "//peta.example/{z}/{x}/{y}.png",
        "https:///{z}/{x}/{y}.png",
        "https://[::1/{z}/{x}/{y}.png",
        "https://peta.example/{z}/{x}/{y}\n.png",
    ],
)
def test_an_address_that_would_open_more_is_refused(address):
    with pytest.raises(Malformed) as refused:
        origin_of(address)
    assert refused.value.code == "bad_setting"


def test_outlines_are_checked_and_served_like_any_asset(tmp_path: Path):
    path = tmp_path / "kecamatan.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": []}, indent=2))
    ground = Ground(outlines=read_outlines(path))
    assert f"/{OUTLINES}" in policy_and_text(ground)[1]
    for wrong in ("[]", "{", '{"type": "Feature"}'):
        path.write_text(wrong)
        with pytest.raises(Malformed):
            read_outlines(path)
    with pytest.raises(Malformed):
        read_outlines(tmp_path / "none")
