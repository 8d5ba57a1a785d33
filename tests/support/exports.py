"""Exports over the API: ordered, shown, changed, fetched, and a worker that makes them."""

from typing import Any

from archive.cases.exports.worker import ExportWorker
from ops.exports import worker_of
from tests.support.api_site import ASKED, CAMERA, EMPTY_CAMERA, Site

EXPORTS = "/v1/exports"


def order(site: Site, cameras: tuple[str, ...] = (CAMERA, EMPTY_CAMERA), **times: str) -> str:
    """Order an export; its id."""
    answer = site.call("POST", EXPORTS, json={"cameras": list(cameras), **(times or ASKED)})
    assert answer.status_code == 202, answer.text
    found: str = answer.json()["export_id"]
    assert answer.headers["location"] == f"{EXPORTS}/{found}"
    return found


def shown(site: Site, export_id: str) -> dict[str, Any]:
    """An export as the API shows it."""
    found: dict[str, Any] = site.call.get(f"{EXPORTS}/{export_id}").json()
    return found


def change(site: Site, export_id: str, status: str) -> Any:
    """The answer to a wish to pause, continue or cancel."""
    return site.call("POST", f"{EXPORTS}/{export_id}/status", json={"status": status})


def fetch(site: Site, export_id: str, **options: Any) -> Any:
    """The answer to a download."""
    return site.call.get(f"{EXPORTS}/{export_id}/export.zip", **options)


def parts(site: Site) -> list[str]:
    """The keys of the parts of all exports."""
    return [one.key for one in site.services.stores.cache.list("exports/") if one.key.endswith(".mp4")]


def worker(site: Site) -> ExportWorker:
    """A worker of its own name."""
    return worker_of(site.evidence.site)
