"""The log over HTTP: checkpoints by page and number, proofs of lines, and the limits of a proof."""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256

import pytest

from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import check_inclusion, line_named
from archive.timespan import HOUR
from ops.log import Log
from tests.support.api_site import SECRET, Site, open_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("log"), variant=None) as made:
        log = Log(made.evidence.site)
        for _ in range(3):
            made.call.get("/v1/cameras")
            log.maker.run_due()
            made.clock.advance(HOUR)
        yield made


def test_checkpoints_are_listed_newest_first_page_by_page(site: Site) -> None:
    first = site.call.get("/v1/log/checkpoints", params={"limit": 2}).json()
    assert [one["number"] for one in first["checkpoints"]] == [3, 2]
    rest = site.call.get("/v1/log/checkpoints", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["number"] for one in rest["checkpoints"]] == [1]
    assert rest["next"] is None
    assert all(one["signed"] and one["stamped"] for one in first["checkpoints"])
    assert first["checkpoints"][0]["prev"] == first["checkpoints"][1]["sha256"]


def test_a_checkpoint_comes_with_its_text_and_seals(site: Site) -> None:
    got = site.call.get("/v1/log/checkpoints/2").json()
    records = site.services.stores.records
    assert sha256(got["checkpoint"].encode()).hexdigest() == got["sha256"]
    assert b64decode(got["checkpoint_p7s"]) == stored.read_part(records, 2, stored.SIGNATURE)
    assert b64decode(got["checkpoint_tsr"]) == stored.read_part(records, 2, stored.STAMP)
    assert site.events()[-1].type == "log.read"


def test_a_proof_holds_and_shows_no_line_that_names_people(site: Site) -> None:
    key = next(iter(site.services.stores.records.list("ledger/camera/"))).key
    answer = site.call.get("/v1/log/proof", params={"key": key})
    got = answer.json()
    assert got["leaf"] is None
    assert SECRET not in answer.text
    line = line_named(site.services.stores, key)
    note = check_inclusion(line.leaf, got["inclusion"], got["checkpoint"].encode())
    assert note.number == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/log/checkpoints/99", 404, "checkpoint_not_found"),
        ("/v1/log/checkpoints/0", 422, "invalid_request"),
        ("/v1/log/checkpoints?cursor=x", 422, "bad_cursor"),
        ("/v1/log/proof?key=ledger/camera/nobody/00000001.json", 404, "not_found"),
        ("/v1/log/proof?key=evidence/x", 422, "bad_key"),
        ("/v1/log/proof", 422, "invalid_request"),
    ],
)
def test_what_cannot_be_answered_says_why(site: Site, path: str, status: int, code: str) -> None:
    answer = site.call.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
