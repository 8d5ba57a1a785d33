"""The OpenAPI description of the API as this program serves it, without an installation."""

from pathlib import Path
from typing import Any

from api.app import create_app
from ops import keys
from ops.serving import services_of
from ops.settings import Settings
from ops.wiring import Site


def api_document(folder: Path) -> dict[str, Any]:
    """The description, made over an empty installation in ``folder``."""
    with Site(Settings.load({"SAKSI_HOME": str(folder)})) as site:
        keys.init(site.settings.keys_dir, clock=site.clock)
        app = create_app(services_of(site))
        return app.openapi()
