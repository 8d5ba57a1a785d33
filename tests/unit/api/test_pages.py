"""The pages' texts, assets and templates: whole in both languages, and nothing of the archive in them."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from api.auth.principal import Principal
from api.web import catalogue
from api.web.catalogue import LANGUAGES
from api.web.files import FOLDER, OWN, Assets
from api.web.navigation import BARS, MOST, PLACES, SHELLS, bar_of, places_of
from api.web.rendering import Pages
from archive.errors import NotFound
from archive.model.user import Role

TEMPLATES = sorted(path.stem for path in Path(FOLDER, "pages").glob("*.html") if path.stem != "layout")
FACTS = {"sign_in": {"has_provider": True}}
OPEN = frozenset({"sign_in"})
WITH_MAP = frozenset({"find", "retention", "camera", "camera_add", "camera_edit", "parts"})


@pytest.fixture(scope="module")
def catalogues():
    return catalogue.load()


@pytest.fixture(scope="module")
def pages(catalogues) -> Pages:
    return Pages(Assets(catalogues), catalogues, zone="Asia/Makassar", base_path="/saksi")


def asked(path: str = "/", **cookies: str) -> Request:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    return Request(
        {"type": "http", "method": "GET", "path": f"/saksi{path}", "query_string": b"", "root_path": "",
         "headers": [(b"cookie", cookie), (b"host", b"x")], "server": ("x", 80), "scheme": "http"}
    )  # fmt: skip


def written(*folders: str) -> str:
    files = (path for folder in folders for path in Path(FOLDER, folder).iterdir())
    return "\n".join(path.read_text("utf-8") for path in files if path.suffix in {".js", ".html"})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_page_renders_in_every_language(pages, name, language):
    reader = None if name in OPEN else Principal("user:sari", roles=frozenset(Role))
    answer = pages.render(asked(saksi_bahasa=language), name, reader=reader, **FACTS.get(name, {}))
    text = bytes(answer.body).decode()
    assert f'<html lang="{language}"' in text
    assert "{{" not in text
    assert "{%" not in text
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', text)) >= {f"/saksi{pages.assets.path('saksi.css')}"}
    assert all(link.startswith("/saksi/") for link in re.findall(r'(?:src|href)="([^"#]+)"', text))


def test_every_key_that_pages_and_scripts_name_has_its_text(catalogues):
    named = set(re.findall(r"""say\(\s*["']([a-z_]+\.[a-z_0-9]+)["']""", written("pages", "assets")))
    assert named
    assert named <= set(catalogues["id"].texts)


def test_every_text_is_named(catalogues):
    everything = written("pages", "parts", "assets")
    composed = ("problem.", "cause.", "role.", "place.", "guide.", "guide_about.")
    unused = {
        key
        for key in catalogues["id"].texts
        if f'"{key}"' not in everything and f"'{key}'" not in everything and not key.startswith(composed)
        and f"`{key.split('.')[0]}.${{" not in everything
    }  # fmt: skip
    assert unused == set()


def test_every_role_and_place_has_its_word(catalogues):
    for one in catalogues.values():
        assert all(one.has(f"role.{role.value}") for role in Role)
        assert all(one.has(place.word) for place in PLACES)


def test_languages_that_differ_are_refused(tmp_path):
    for language in LANGUAGES:
        (tmp_path / language).mkdir()
    first, second = tmp_path / "id" / "a.toml", tmp_path / "en" / "a.toml"
    first.write_text('[a]\nx = "satu {n}"\n')
    second.write_text('[a]\nx = "one {m}"\n')
    with pytest.raises(ValueError, match=r"a\.x"):
        catalogue.load(tmp_path)
    second.write_text('[a]\ny = "one {n}"\n')
    with pytest.raises(ValueError, match=r"a\.x, a\.y"):
        catalogue.load(tmp_path)
    (tmp_path / "en" / "b.toml").write_text('[a]\ny = "again"\n')
    with pytest.raises(ValueError, match="another file too"):
        catalogue.load(tmp_path)


def test_values_are_escaped(pages):
    reader = Principal("user:<b>sari", roles=frozenset({Role.ADMIN}))
    text = bytes(pages.render(asked(), "view", reader=reader).body).decode()
    assert "<b>sari" not in text
    assert "&lt;b&gt;sari" in text


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_page_asks_at_once_for_every_module_that_its_scripts_import(pages, name):
    reader = None if name in OPEN else Principal("user:sari", roles=frozenset(Role))
    text = bytes(pages.render(asked(), name, reader=reader, **FACTS.get(name, {})).body).decode()
    is_there = "leaflet.js" in pages.assets.names
    links = re.findall(r'<(script|link)[^>]+?(?:src|href)="/saksi/aset/\w+/([\w.-]+\.js)"', text)
    named = [one for _, one in links]
    assert len(named) == len(set(named)), "asked for twice"
    own = closure(one for kind, one in links if kind == "script")
    map_part = {"leaflet.js"} if name in WITH_MAP and is_there else set()  # imported when the map begins
    assert set(named) == own | map_part | {"words.id.js"}


def closure(scripts: Iterable[str]) -> set[str]:
    """All modules that scripts import, as a reader of the sources finds them."""
    found: set[str] = set()
    waiting = {*scripts, "words.js"}
    while waiting:
        one = waiting.pop()
        found.add(one)
        path = OWN / one
        text = path.read_text("utf-8") if path.is_file() else ""
        statements = re.findall(r"^(?:import|export) (?:[^;]*? from )?\"\./([^\"]+)\";", text, re.MULTILINE)
        waiting |= set(statements) - found
    return found


def test_a_value_that_is_not_given_is_a_failure(pages):
    with pytest.raises(UndefinedError):
        pages.render(asked(), "sign_in")


def test_the_bar_has_only_what_the_reader_may_use():
    for role in Role:
        reader = Principal("user:sari", roles=frozenset({role}))
        places = places_of(reader)
        bar, menu = bar_of(places, reader)
        assert all(reader.may(place.action) for place in places)
        assert {*bar, *menu} == set(places)
        assert len(bar) <= MOST


def test_every_place_and_bar_leads_to_a_page():
    paths = {shell.path for shell in SHELLS} | {"/antarmuka"}
    assert {place.path for place in PLACES} <= paths
    names = {place.name for place in PLACES}
    assert set(BARS) == set(Role)
    assert all(set(bar) <= names for bar in BARS.values())
    for role, bar in BARS.items():
        may = {place.name for place in places_of(Principal("user:x", roles=frozenset({role})))}
        assert set(bar) <= may, "a bar names what its role may not do"


def test_a_choice_of_another_language_or_theme_is_kept_and_strange_ones_are_not(pages):
    text = bytes(pages.render(asked(saksi_tema="light"), "sign_in", has_provider=False).body).decode()
    assert 'data-theme="light"' in text
    text = bytes(
        pages.render(asked(saksi_tema="x", saksi_bahasa="x"), "sign_in", has_provider=False).body
    ).decode()
    assert "data-theme" not in text.split(">", 3)[1]
    assert '<html lang="id"' in text


def test_assets_change_their_address_with_any_of_them(catalogues, tmp_path, monkeypatch):
    before = Assets(catalogues)
    changed = {**catalogues, "en": catalogue.Catalogue("en", {"a.b": "c"})}
    assert Assets(catalogues).version == before.version
    assert Assets(changed).version != before.version


def test_assets_are_found_whole_and_compressed(catalogues):
    assets = Assets(catalogues)
    content, media_type = assets.find(assets.version, "tile.js")
    assert content == (OWN / "tile.js").read_bytes()
    assert media_type.startswith("text/javascript")
    assert gzip.decompress(assets.packed("tile.js")) == content
    for version, name in (
        (assets.version, "../files.py"),
        ("0" * 16, "tile.js"),
        (assets.version, "common.toml"),
    ):
        with pytest.raises(NotFound):
            assets.find(version, name)
