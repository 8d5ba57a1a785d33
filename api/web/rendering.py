"""Rendering: a page from its template, in the reader's language, with the bar of what they may use.

Templates are in ``pages``; what several of them use is in ``parts``. All values are escaped. A template that
names an unknown key, value or part fails, and a test renders every page in every language.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from api.auth.principal import Principal
from api.headers import PAGES
from api.web.catalogue import FIRST, Catalogue
from api.web.files import FOLDER, MAP, MAP_STYLE, OUTLINES, PLAYER, Assets
from api.web.ground import Ground, origin_of
from api.web.guides import PrintedGuides
from api.web.navigation import bar_of, is_here, places_of

LANGUAGE = "saksi_bahasa"
"""The cookie with the reader's choice of language; a script sets it."""
THEME = "saksi_tema"
"""The cookie with the reader's choice of theme: ``light``, ``dark``, or none for that of the system."""

_THEMES = frozenset({"light", "dark"})
_HTML = "text/html; charset=utf-8"


class Pages:
    """The pages of one process. ``base_path`` is the path of the installation's root, without a slash.

    ``largest_paper`` is the size in bytes above which a page refuses to send a paper.
    """

    def __init__(
        self,
        assets: Assets,
        catalogues: Mapping[str, Catalogue],
        *,
        zone: str,
        base_path: str,
        ground: Ground | None = None,
        largest_paper: int = 20 << 20,
    ) -> None:
        self.assets = assets
        self.guides = PrintedGuides()
        self._catalogues = catalogues
        self._zone = zone
        self._base = base_path
        self._largest_paper = largest_paper
        self._environment = Environment(
            loader=FileSystemLoader([Path(FOLDER, "pages"), Path(FOLDER, "parts")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        ground = ground or Ground()
        self._policy = _policy_of(ground)
        self._environment.globals["ground"] = {
            "box": ",".join(ground.box),
            "tiles": ground.tiles,
            "attribution": ground.attribution,
            "closest": ground.closest,
            "outlines": "" if ground.outlines is None else base_path + assets.path(OUTLINES),
        }

    def catalogue(self, request: Request) -> Catalogue:
        """The catalogue of the reader's language."""
        return self._catalogues.get(request.cookies.get(LANGUAGE, FIRST), self._catalogues[FIRST])

    def render(
        self,
        request: Request,
        name: str,
        *,
        reader: Principal | None = None,
        policy: str = "",
        status: int = 200,
        **facts: object,
    ) -> Response:
        """A page. ``reader`` is whose bar it has; ``facts`` are the values of the template."""
        catalogue = self.catalogue(request)
        theme = request.cookies.get(THEME, "")
        path = request.url.path.removeprefix(self._base)
        bar, menu = ((), ()) if reader is None else bar_of(places_of(reader), reader)
        named: list[str] = []

        def asset(one: str) -> str:
            named.append(one)
            return self._base + self.assets.path(one)

        def modules() -> tuple[str, ...]:
            """What the scripts named so far import, and the map's own: all is asked for at once."""
            scripts = [one for one in named if one.endswith(".js")]
            if MAP_STYLE in named and MAP in self.assets.names:
                scripts.append(MAP)
            return tuple(one for one in self.assets.modules(scripts) if one not in named)

        text = self._environment.get_template(f"{name}.html").render(
            say=catalogue.say,
            language=catalogue.language,
            theme=theme if theme in _THEMES else "",
            zone=self._zone,
            base=self._base,
            paper=self._largest_paper,
            asset=asset,
            modules=modules,
            reader=reader,
            plays=PLAYER in self.assets.names and "camera" in request.query_params,
            places=[(place, is_here(place, path)) for place in bar],
            further=menu,
            guides=() if reader is None else self.guides.offered_to(reader),
            **facts,
        )
        headers = {
            "Content-Security-Policy": policy or (PAGES if reader is None else self._policy),
            "Vary": "Cookie",
        }
        return Response(text, status_code=status, media_type=_HTML, headers=headers)


def _policy_of(ground: Ground) -> str:
    """The policy of pages for readers: they may load the map's tiles, from exactly where those are."""
    origin = origin_of(ground.tiles) if ground.tiles else ""
    return PAGES.replace("img-src 'self'", f"img-src 'self' {origin}") if origin else PAGES
