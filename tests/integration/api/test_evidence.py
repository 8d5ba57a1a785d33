"""Evidence packages over HTTP, from request to verification."""

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from archive.timespan import SECOND
from tests.support.api_site import CAMERA, Site, instant, open_site, span


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def told_files(site: Site, where: str) -> list[dict[str, Any]]:
    """The files of a package, a few on each page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = site.call.get(f"{where}/files", params={"limit": 4, "cursor": cursor}).json()
        assert len(page["files"]) <= 4
        found, cursor = [*found, *page["files"]], page["next"]
    assert page["total"] == len(found)
    return found


def test_a_package_from_request_to_verification(site: Site) -> None:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1", "purpose": "penyidikan"}
    asked = site.call("POST", "/v1/evidence", json=body)
    assert asked.status_code == 202
    where = asked.headers["location"]
    evidence_id = asked.json()["evidence_id"]
    assert where == f"/v1/evidence/{evidence_id}"
    assert site.events()[-1].objects == (evidence_id, CAMERA)
    assert site.events()[-1].purpose == "penyidikan"
    for part in ("package.zip", "files"):
        early = site.call.get(f"{where}/{part}")
        assert (early.status_code, early.json()["code"]) == (409, "not_sealed")
    assert site.evidence.run_open_requests() == 1
    state = site.call.get(where).json()
    assert state["status"] == "sealed"
    assert len(state["tagmanifest_sha256"]) == 64
    package = site.call.get(f"{where}/package.zip")
    assert package.headers["content-length"] == str(len(package.content))
    assert package.headers["content-disposition"] == f'attachment; filename="{evidence_id}.zip"'
    rest = site.call.get(
        f"{where}/package.zip", headers={"Range": "bytes=1000-", "If-Range": package.headers["etag"]}
    )
    assert package.content[:1000] + rest.content == package.content
    assert site.call("HEAD", f"{where}/package.zip").headers["content-length"] == str(len(package.content))
    verdict = site.call("POST", f"{where}/verify").json()
    assert verdict["valid"] is True
    told = told_files(site, where)
    with ZipFile(BytesIO(package.content)) as inside:
        content = {name.removeprefix(f"{evidence_id}/"): inside.read(name) for name in inside.namelist()}
    assert [one["path"] for one in told] == sorted(content)
    for one in told:
        assert (one["bytes"], one["sha256"]) == (
            len(content[one["path"]]),
            sha256(content[one["path"]]).hexdigest(),
        )
        assert one["sealed"] is not one["path"].startswith(("signatures/", "handover/"))
    assert {one["kind"] for one in told} >= {"original", "clip", "statement", "custody", "document", "seal"}
    assert "other" not in {one["kind"] for one in told}
    listed = site.call.get("/v1/evidence", params={"status": "sealed"}).json()
    assert evidence_id in {one["evidence_id"] for one in listed["evidence"]}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"cameras": []}, 422, "invalid_request"),
        ({"cameras": ["nobody"]}, 404, "camera_not_found"),
        ({"cameras": ["cam-2"]}, 409, "no_footage"),
        ({"cameras": [f"c{n}" for n in range(101)]}, 422, "too_many_cameras"),
        ({"case": " "}, 422, "bad_request"),
        ({"case": "a\nb"}, 422, "bad_request"),
        ({"from": "2026-11-24T14:00:00"}, 422, "naive_time"),
        ({"to": instant(-100)}, 422, "empty_span"),
        (span(90_000, 90_010), 422, "span_in_future"),
        (span(-400 * 86_400, 0), 422, "span_too_long"),
        ({"colour": "red"}, 422, "unknown_field"),
        ({"purpose": "a\x00"}, 422, "bad_purpose"),
    ],
)
def test_a_package_that_cannot_be_is_refused(
    site: Site, changes: dict[str, Any], status: int, code: str
) -> None:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1", **changes}
    answer = site.call("POST", "/v1/evidence", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_packages_that_are_not_there(site: Site) -> None:
    for path in ("", "/package.zip", "/files"):
        answer = site.call.get(f"/v1/evidence/EVD-2026-0000000000{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "evidence_not_found")
        assert site.call.get(f"/v1/evidence/..{path}").status_code in {404, 422}
        assert site.call.get(f"/v1/evidence/EVD-1{path}").json()["code"] == "bad_id"
    assert site.call("POST", "/v1/evidence/EVD-2026-0000000000/verify").status_code == 404


def test_packages_are_listed_newest_first_page_by_page(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        made = []
        for number in range(5):
            body = {"cameras": [CAMERA], **span(2, 12), "case": f"LP/{number}"}
            made.append(site.call("POST", "/v1/evidence", json=body).json()["evidence_id"])
            site.clock.advance(SECOND)
        seen, cursor = [], ""
        while cursor is not None:
            answer = site.call.get("/v1/evidence", params={"limit": "2", "cursor": cursor}).json()
            seen += [one["evidence_id"] for one in answer["evidence"]]
            cursor = answer["next"]
        assert seen == made[::-1]
        assert site.call.get("/v1/evidence", params={"cursor": "nonsense"}).json()["code"] == "bad_cursor"
