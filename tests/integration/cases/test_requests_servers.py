"""Requests on MinIO and Elasticsearch, and on the command line."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from archive import keys
from archive.errors import Conflict
from archive.integrity.rebuild.sync import Sync
from archive.model.request import public_state, to_state
from archive.timespan import DAY, MINUTE, SECOND, format_instant
from tests.support.api_site import CAMERA, T0, Site, open_site
from tests.support.host_people import Person, people_can_sign_in
from tests.support.requesting import OFFICER, PDF, POLICE, Requesting, form, requesting
from tests.support.servers import ElasticServer, FreshBuckets


@pytest.fixture
def city(
    tmp_path: Path,
    fresh_buckets: FreshBuckets,
    elastic_server: ElasticServer,
    fresh_index_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Requesting]:
    for name, value in fresh_buckets.server.environment(fresh_buckets.name).items():
        monkeypatch.setenv(name, value)
    environ = {
        "SAKSI_ARCHIVE_URL": fresh_buckets.archive_url,
        "SAKSI_INDEX_URL": elastic_server.url,
        "SAKSI_INDEX_PREFIX": fresh_index_prefix,
    }
    with requesting(tmp_path, environ) as made:
        yield made


def test_the_life_of_a_request_on_real_servers(city: Requesting, monkeypatch: pytest.MonkeyPatch) -> None:
    head = city.file()
    site = city.site
    assert city.hold_in_force(head)
    site.hold_sweeper().run()
    assert all(site.stores.footage.head(one.key).held for one in city.holding.segments)
    lock = site.stores.records.head(keys.attachment_key(city.scan)).lock
    assert lock is not None
    assert lock.mode == "GOVERNANCE"
    document = site.index.document("request", head.request.id)
    assert document is not None
    assert document.state == public_state(to_state(head.request))
    assert "Dewi" not in str(document.state)

    def race(number: int, version: int, start: threading.Barrier) -> str:
        requests, name = city.requests, head.request.id
        start.wait()
        try:
            if number % 3 == 0:
                return requests.stream.comment(name, text="x", by=OFFICER, expected=version).entry.digest
            if number % 3 == 1 and version > 2:
                return requests.deciding.reject(
                    name, by=OFFICER, name="Citra", expected=version, reason="x"
                ).entry.digest
            return requests.filing.amend(
                name, form(letter_sha256=city.scan), POLICE, expected=version, reason="x"
            ).entry.digest
        except Conflict as lost:
            return "" if lost.code in {"ledger_conflict", "request_state"} else lost.code

    with ThreadPoolExecutor(12) as pool:
        for version in (1, 2):
            start = threading.Barrier(12, timeout=60)
            told = pool.map(race, range(12), repeat(version, 12), repeat(start, 12))
            won = [one for one in told if one]
            assert won == [city.requests.book.request(head.request.id).entry.digest]

    newest = city.requests.book.request(head.request.id)
    ended = city.reject(newest)
    city.clock.advance(7 * DAY + SECOND)
    assert city.requests.following.run() == 1
    assert not city.hold_in_force(ended)
    site.hold_sweeper().run()
    assert not any(site.stores.footage.head(one.key).held for one in city.holding.segments)

    # The index loses one, and a job restores it.
    with monkeypatch.context() as lost:
        lost.setattr(site.index, "put_document", lambda *_: None)
        other = city.file(replace(POLICE, id="user:dodi"))
    assert site.index.document("request", other.request.id) is None
    Sync(site.stores, site.index, city.clock).run()
    document = site.index.document("request", other.request.id)
    assert document is not None
    assert document.state == public_state(to_state(other.request))


# -- the command line ---------------------------------------------------------------------------------


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path / "home") as made:
        yield made


def paper(**changes: object) -> dict[str, object]:
    return {
        "requester": {
            "name": "Dewi", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411",
        },
        "letter": {"number": "B/1", "date": "2026-11-20"},
        "legal_basis": [{"kind": "lp", "number": "LP/B/1"}],
        "case": "LP/B/1",
        "purpose": "pencurian",
        "cameras": [CAMERA],
        "from": format_instant(T0),
        "to": format_instant(T0 + MINUTE // 3),
        **changes,
    }  # fmt: skip


def test_requests_on_the_command_line(embedded: Site, tmp_path: Path) -> None:
    people_can_sign_in()
    home = tmp_path / "home"
    ani, budi = (Person(home, {"COLUMNS": "200"}, name) for name in ("ani", "budi"))
    asked, scan = tmp_path / "request.json", tmp_path / "surat.pdf"
    scan.write_bytes(PDF)
    asked.write_text(json.dumps(paper(purpose="")))
    missing = ani("request", "file", "--json", str(asked), "--letter", str(scan))
    assert missing.code == 2
    assert "purpose: wajib diisi. / purpose is required." in missing.err
    asked.write_text(json.dumps(paper()))
    request = ani("request", "file", "--json", str(asked), "--letter", str(scan)).json
    name = request["id"]
    assert (request["status"], request["letter"]["sha256"]) == (
        "submitted", request["attachments"][0]["sha256"]
    )  # fmt: skip
    assert name in ani("request", "list").out
    own = ani("request", "approve", name, "--version", "1", "--json")
    assert (own.code, own.problem["code"]) == (2, "same_person")
    approved = budi("request", "approve", name, "--version", "1", "--json").json
    assert approved["decision"]["by"].endswith("(login:budi)")
    shown = budi("request", "show", name)
    assert "request.approved" in shown.out
    rejected = budi("request", "reject", name, "--version", "1", "--reason", "x", "--json")
    assert (rejected.code, rejected.problem["code"]) == (2, "ledger_conflict")
    cancelled = ani("request", "cancel", name, "--version", "2", "--reason", "found", "--json").json
    assert cancelled["status"] == "cancelled"
    told = [entry["actor"] for entry in ani("request", "show", name, "--json").json["history"]]
    assert [actor.partition("login:")[2] for actor in told] == ["ani)", "budi)", "ani)"]
    assert embedded.services.holds.hold(request["hold_id"]).hold.in_force
