"""A request for a span without footage: the absence is approved, sealed, handed over and verified."""

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from archive import keys
from archive.cases.notices.filled import of_filled
from archive.cases.notices.notice import Event
from archive.cases.requests.separation import check_approval
from archive.errors import Refused
from archive.evidence import jobs
from archive.evidence.backfilled import BackfillFlags
from archive.ids import new_evidence_id
from archive.model import request as requests
from archive.model.backfill import KIND
from archive.model.evidence import EvidenceStatus, PackageKind
from archive.model.gap import RunEnd
from archive.model.segment import Run
from archive.model.user import Role
from archive.ports import Content
from archive.records import journal
from archive.timespan import SECOND, format_instant
from ops import keys as installation
from ops import pyz
from recorder import identity
from tests.integration.api.test_handover_api import RECORDER_KEY, Case, code, filed, journalled, shelve, words
from tests.support.api_site import CAMERA, Site, open_site, span
from tests.support.command_line import CommandLine
from tests.support.people import add_person, catch_up


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role, agency in (
            ("budi", Role.POLICE, "polrestabes"),
            ("citra", Role.WAR_ROOM, ""),
            ("dewi", Role.WAR_ROOM, ""),
        ):
            add_person(made, name, role, agency=agency)
        catch_up(made)
        journalled(made)
        yield made


class Asked(Case):
    """A request that is only filed."""

    def __init__(self, site: Site, within: dict[str, str]) -> None:
        self.site = site
        self._callers = {}
        answer = self.call("budi")("POST", "/v1/requests", json={**filed(), "cameras": [CAMERA], **within})
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]

    def approve(self, kind: str | None = None) -> Any:
        form = {"reason": "lengkap"} if kind is None else {"reason": "lengkap", "kind": kind}
        return self.change("citra", f"/v1/requests/{self.id}/approve", form)


def in_the_gap(site: Site) -> dict[str, str]:
    gap = site.gap
    return {"from": format_instant(gap.start), "to": format_instant(gap.end)}


def test_from_an_empty_stretch_to_a_statement_that_an_expert_verifies(site: Site, tmp_path: Path) -> None:
    asked = Asked(site, in_the_gap(site))
    plain = asked.approve()
    assert code(plain) == (409, "no_footage")
    assert [gap["cause"] for gap in plain.json()["gaps"]] == ["unreachable"]
    approved = asked.approve("no_footage")
    assert approved.status_code == 200, approved.text
    told = approved.json()
    assert (told["status"], told["decision"]["kind"]) == ("approved", "no_footage")
    (event,) = [
        one for one in site.events("request.approve") if asked.id in one.objects and "kind" in one.details
    ]
    assert event.details["kind"] == "no_footage"
    asked.evidence_id = told["evidence_id"]
    site.evidence.run_open_requests()
    record = site.evidence.record(asked.evidence_id)
    assert record.status is EvidenceStatus.SEALED, record.failure
    assert record.request.kind is PackageKind.NO_FOOTAGE

    given = asked.give().json()
    assert given["originals"] == 0
    shelve(site)
    report = asked.call("budi").get(f"/v1/requests/{asked.id}/handover/1/berita-acara.pdf")
    assert report.headers["saksi-signed"] == "?1"
    assert "surat keterangan tidak ada rekaman" in words(report.content)
    package = asked.call("budi").get(asked.begin().json()["url"])
    assert package.status_code == 200
    path = tmp_path / "package.zip"
    path.write_bytes(package.content)
    with ZipFile(BytesIO(package.content)) as held:
        prefix = f"{asked.evidence_id}/"
        tags = held.read(f"{prefix}tagmanifest-sha256.txt")
        names = [name.removeprefix(prefix) for name in held.namelist()]
        stated = json.loads(held.read(f"{prefix}data/metadata/evidence.json"))
        paper = words(held.read(f"{prefix}data/documents/laporan-penyegelan.pdf"))
    assert stated["kind"] == "no_footage"
    assert stated["request"]["id"] == asked.id
    assert not [name for name in names if name.startswith(("data/original/", "data/derivative/"))]
    assert [name for name in names if name.startswith("handover/1/berita-acara-")]
    assert "SURAT KETERANGAN TIDAK ADA REKAMAN" in paper
    assert "kamera tidak terjangkau" in paper
    confirmed = asked.confirm(sha256(tags).hexdigest(), given["signer_sha256"])
    assert confirmed.status_code == 200, confirmed.text

    folder = site.evidence.site.settings.keys_dir
    shown = installation.show(folder, tsa_url="")
    words_given = [
        str(path), "--trust", str(folder / "root.pem"), "--signer", shown.signer_sha256, "--at", "stamp",
        "--json",
    ]  # fmt: skip
    verified = CommandLine(tmp_path / "home")("verify", *words_given)
    assert (verified.code, verified.json["valid"]) == (0, True), verified.out
    program = tmp_path / pyz.NAME
    pyz.write(program)
    alone = subprocess.run(
        [sys.executable, "-I", "-S", str(program), *words_given], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert json.loads(alone.stdout)["verdict"] == "valid"
    text = path.read_bytes()
    lie = text.replace(b'"no_footage"', b'"footage"   ', 1)
    assert lie != text
    path.write_bytes(lie)
    assert CommandLine(tmp_path / "home")("verify", *words_given).code == 1
    assert asked.close(hold="release", reason="tidak ada rekaman").status_code == 200


def test_absence_is_not_stated_where_there_is_footage(site: Site) -> None:
    asked = Asked(site, span(0, 20))
    assert code(asked.approve("no_footage")) == (403, "footage_exists")
    assert asked.call("budi").get(f"/v1/requests/{asked.id}").json()["status"] == "submitted"
    assert asked.approve().status_code == 200


def test_a_kind_that_is_none_is_refused(site: Site) -> None:
    asked = Asked(site, in_the_gap(site))
    assert asked.approve("nothing").status_code == 422


def test_a_package_of_another_kind_than_was_approved_is_not_sealed(site: Site) -> None:
    """A key that can write entries requests a footage package, although its absence was approved."""
    asked = Asked(site, in_the_gap(site))
    told = asked.approve("no_footage").json()
    bound = told["decision"]["entry_sha256"]
    ledger = site.services.ledger
    check_approval(ledger, asked.id, bound, evidence_id=told["evidence_id"], kind=PackageKind.NO_FOOTAGE)
    with pytest.raises(Refused) as caught:
        check_approval(ledger, asked.id, bound, evidence_id=told["evidence_id"], kind=PackageKind.FOOTAGE)
    assert caught.value.code == "approval_void"
    site.clock.advance(SECOND)
    forged = jobs.request_seal(
        ledger, site.clock, cameras=(CAMERA,), span=site.gap, case="LP/B/1", actor="user:citra",
        request_id=asked.id, request_entry=bound, evidence_id=new_evidence_id(site.clock.now()),
    )  # fmt: skip
    site.evidence.run_open_requests()
    refused = site.evidence.record(forged.record.request.evidence_id)
    assert (refused.status, refused.failure_code) == (EvidenceStatus.SEAL_FAILED, "approval_void")


def test_footage_that_came_later_is_told_to_who_holds_the_statement_and_to_nobody_else(site: Site) -> None:
    asked = Asked(site, in_the_gap(site))
    asked.evidence_id = asked.approve("no_footage").json()["evidence_id"]
    site.evidence.run_open_requests()
    assert site.evidence.record(asked.evidence_id).status is EvidenceStatus.SEALED
    path, services = f"/v1/evidence/{asked.evidence_id}", site.services
    assert asked.call("budi").get(path).json()["backfilled"] == []

    now = site.clock.now()
    run = Run(
        camera=CAMERA, recorder="rec-1-backfill", run="6b067960e6db988a", span=site.gap, segments=1,
        reason=RunEnd.STOPPED, ingested_at=now, fills=("6a15000000000009",),
    )  # fmt: skip
    identity.register(services.ledger, run.recorder, RECORDER_KEY.public_key())
    batch = journal.encode(
        [run],
        recorder=run.recorder,
        batch=1,
        prev=journal.GENESIS,
        at=now,
        key=RECORDER_KEY,
        origin="backfill",
    )
    services.stores.records.put(keys.journal_key(run.recorder, 1, now), Content.of_bytes(batch))
    flags = BackfillFlags(services.ledger, services.stores.records, services.index, site.clock)
    assert flags.run() >= 1

    [told] = asked.call("budi").get(path).json()["backfilled"]
    assert (told["camera"], told["run"], told["gaps"]) == (CAMERA, run.run, ["6a15000000000009"])
    assert {"from": told["from"], "to": told["to"]} == in_the_gap(site)
    checked = asked.call("budi")("POST", f"{path}/verify").json()
    assert (checked["valid"], checked["backfilled"]) == (True, [told])

    add_person(site, "eko", Role.POLICE, agency="polsek-lain")
    add_person(site, "fitri", Role.KECAMATAN, districts=("73.71.14",))
    catch_up(site)
    for stranger in ("eko", "fitri"):
        refused = asked.call(stranger).get(path)
        assert refused.status_code in (403, 404)
        assert run.run not in refused.text
        assert asked.evidence_id not in asked.call(stranger).get("/v1/evidence").text

    entry = services.ledger.head(KIND, asked.evidence_id)
    notice = of_filled(
        entry, lambda name: requests.from_state(name, services.ledger.head("request", name).state)
    )
    assert (notice.event, notice.agency, notice.link) == (
        Event.PACKAGE_FILLED, "polrestabes", f"/permintaan/{asked.id}",
    )  # fmt: skip
