"""An insider with the seal key against the ledger's entries in a package: who asked, who approved, and where.

Every row changes a copy of one true package and seals it again. The keys of log and recorders are not his.
"""

import dataclasses
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive import canonical
from archive.cases.requests.separation import check_approval
from archive.clock import ManualClock
from archive.errors import IntegrityError, Refused
from archive.evidence import paths
from archive.evidence.plan import CameraChange
from archive.evidence.recorded import SHOWN
from archive.evidence.verifier import command, findings
from archive.evidence.verifier.entries import FACTS
from archive.evidence.verifier.notebook import NOT_CHECKED
from archive.evidence.verifier.openssl import Openssl
from archive.evidence.verifier.records import hold_against
from archive.model.camera import Camera, to_state
from archive.model.evidence import SealRequest
from archive.objects.filesystem import FilesystemStore
from archive.records.ledger import wire
from archive.records.ledger.streams import Ledger
from archive.records.recorder_keys import registered_keys_of
from archive.timespan import DAY, SECOND, Timespan, format_instant
from archive.trust.judge import load_trust
from tests.support.archives import camera_form, small_archive
from tests.support.asked import CONTACT, OTHER_CAMERA, REMARK, OldLedger, asked, old_archive
from tests.support.insider import (
    SPAN,
    Change,
    Forgery,
    InsiderSite,
    Statement,
    at,
    each,
    insider_site,
    public_pem,
    stated,
)
from tests.support.leaves import T0
from tests.support.packages import EVIDENCE_ID
from tests.support.sealing import preparer_of
from tests.support.verifying import AskedOnce, verified

SECRETS = (
    CONTACT, REMARK, OTHER_CAMERA, "10.0.0.7", "s3cret", "token=abc", "gAAAA", "alasan",
    "sesuai surat",
)  # fmt: skip


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    made = AskedOnce()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return insider_site(tmp_path_factory.mktemp("records"))


def record(forgery: Forgery, kind: str, version: int, name: str = "") -> Statement:
    (found,) = (
        one
        for one in forgery.stated["records"]
        if (one["kind"], one["version"]) == (kind, version) and name in ("", one["id"])
    )
    return dict(found) if not isinstance(found, dict) else found


def opens(kind: str, version: int, change: Callable[[dict[str, Any]], object], name: str = "") -> Change:
    """Change the openings of an entry."""

    def made(forgery: Forgery) -> None:
        path = forgery.package / record(forgery, kind, version, name)["opened"]
        value = canonical.decode(path.read_bytes())
        change(value["opens"])
        path.write_bytes(canonical.encode(value))

    return made


def told(kind: str, version: int, field: str, value: Any, name: str = "") -> Change:
    return opens(kind, version, lambda found: found[field].__setitem__(1, value), name)


def unseen(kind: str, version: int, name: str = "") -> Change:
    """Name an entry without showing it, as an old one."""

    def made(forgery: Forgery) -> None:
        one = record(forgery, kind, version, name)
        _remove(forgery, one)
        for member in ("path", "opened", "log"):
            one.pop(member)
        one["entry"] = "not_shown"

    return made


def without(kind: str, version: int = 0, name: str = "") -> Change:
    """Leave entries out."""

    def made(forgery: Forgery) -> None:
        for one in list(forgery.stated["records"]):
            if one["kind"] == kind and version in (0, one["version"]) and name in ("", one["id"]):
                _remove(forgery, one)
                forgery.stated["records"].remove(one)

    return made


def _remove(forgery: Forgery, one: Statement) -> None:
    for member in ("path", "opened"):
        (forgery.package / one[member]).unlink()


def own_entry(kind: str, version: int, change: Callable[[dict[str, Any]], object], name: str = "") -> Change:
    """Put an entry of the insider's own in the place of one: it fits its openings, and the log has it not."""

    def made(forgery: Forgery) -> None:
        one = record(forgery, kind, version, name)
        line, opened = (
            canonical.decode((forgery.package / one[key]).read_bytes()) for key in ("path", "opened")
        )
        change(opened["opens"])
        line["commits"] |= {
            field: wire.commitment(field, salt, value) for field, (salt, value) in opened["opens"].items()
        }
        data = canonical.encode(line)
        (forgery.package / one["path"]).write_bytes(data)
        (forgery.package / one["opened"]).write_bytes(canonical.encode(opened))
        one["sha256"] = sha256(data).hexdigest()

    return made


def hidden_opened(forgery: Forgery) -> None:
    """The contact of the requester, with its true salt, as the archive has it."""
    entry = forgery.world.target.get(f"ledger/request/{forgery.stated['request']['id']}/00000001.json")
    more = wire.openings(entry, ["state.requester.contact"])["opens"]
    opens("request", 1, lambda found: found.update(more))(forgery)


def source_opened(forgery: Forgery) -> None:
    entry = forgery.world.target.get("ledger/camera/cam-1/00000001.json")
    opens("camera", 1, lambda found: found.update(wire.openings(entry, ["state.source"])["opens"]), "cam-1")(
        forgery
    )


def other_camera_opened(forgery: Forgery) -> None:
    hold = record(forgery, "hold", 1)
    entry = forgery.world.target.get(f"ledger/hold/{hold['id']}/00000001.json")
    more = wire.openings(entry, [f"state.cameras[{place}]" for place in range(3)])["opens"]
    opens("hold", 1, lambda found: found.update(more))(forgery)


def exchanged_cameras(forgery: Forgery) -> None:
    """Each camera under the entry of the other."""
    first, second = (record(forgery, "camera", 1, name) for name in ("cam-1", "cam-2"))
    first["id"], second["id"] = second["id"], first["id"]


def exchanged_proofs(forgery: Forgery) -> None:
    first, second = (record(forgery, "camera", 1, name) for name in ("cam-1", "cam-2"))
    first["log"], second["log"] = second["log"], first["log"]


def other_request(forgery: Forgery) -> None:
    """Say that another request was answered; its entries are those of the first."""
    for one in forgery.stated["records"]:
        if one["kind"] == "request":
            one["id"] = "REQ-2026-9999999999"
    forgery.stated["request"]["id"] = "REQ-2026-9999999999"


def one_more(forgery: Forgery) -> None:
    forgery.stated["records"].append(
        {"kind": "hold", "id": "HLD-2026-other", "version": 1, "sha256": "ab" * 32, "entry": "not_shown"}
    )


def no_proof(forgery: Forgery) -> None:
    del record(forgery, "request", 2)["log"]


def cut_request(forgery: Forgery) -> None:
    """The approved entry is said to be the approval itself."""
    digest = record(forgery, "request", 2)["sha256"]
    forgery.stated["request"]["entry_sha256"] = digest
    forgery.stated["approvals"][0]["entry_sha256"] = digest


def own_recorder(forgery: Forgery) -> None:
    forgery.forge_batch(1, lambda lines: lines)


def approval(**changes: str) -> Change:
    return stated(lambda found: found["approvals"][0].update(changes))


def asked_by(**changes: Any) -> Change:
    return stated(lambda found: found["request"].update(changes))


def camera_of(**changes: Any) -> Change:
    return stated(lambda found: found["cameras"][0].update(changes))


DIFFERS, MISSING, CHAIN, OPENING = "record_differs", "record_missing", "record_chain", "record_opening"
TOO_MUCH, FOREIGN, FORM, LOG = "record_shows_too_much", "record_foreign", "record_form", "not_included"

PACKAGES: list[tuple[str, Change, str]] = [
    # who asked
    ("another person asked",
     stated(lambda found: found["request"]["requester"].update(name="Citra Lain")), DIFFERS),
    ("another rank", stated(lambda found: found["request"]["requester"].update(rank="AKP")), DIFFERS),
    ("another number", stated(lambda found: found["request"]["requester"].update(nrp_nip="1")), DIFFERS),
    ("another agency", asked_by(agency="Kejaksaan"), DIFFERS),
    ("another unit", asked_by(unit="Satlantas"), DIFFERS),
    ("another case", asked_by(case="LP/B/9/XI/2026"), DIFFERS),
    ("another case on the cover", stated(lambda found: found.update(case="LP/B/9/XI/2026")), DIFFERS),
    ("another purpose", asked_by(purpose="arsip"), DIFFERS),
    ("it was urgent", asked_by(urgent=1), DIFFERS),
    ("filed a minute earlier", asked_by(filed_at=at(7200 - 60)), DIFFERS),
    ("another letter", stated(lambda found: found["request"]["letter"].update(number="B/1")), DIFFERS),
    ("another scan", stated(lambda found: found["request"]["letter"].update(sha256="ab" * 32)), DIFFERS),
    ("no letter", stated(lambda found: found["request"].pop("letter")), DIFFERS),
    ("another legal basis",
     stated(lambda found: found["request"]["legal_basis"][0].update(article="365 KUHP")), DIFFERS),
    ("another package", stated(lambda found: found.update(evidence_id="EVD-2026-9999999999")), DIFFERS),
    ("another person, opened", told("request", 2, "state.requester.name", "Citra Lain"), OPENING),
    ("another person, in the insider's own entries",
     each(stated(lambda found: found["request"]["requester"].update(name="Citra Lain")),
          own_entry("request", 2, lambda found: found["state.requester.name"].__setitem__(1, "Citra Lain"))),
     LOG),
    # who approved
    ("another approver", approval(name="Dewi Lain"), DIFFERS),
    ("another approver's account", approval(by="user:dewi"), DIFFERS),
    ("another role", approval(role="admin"), DIFFERS),
    ("approved an hour earlier", approval(at=at(7200 + 1800)), DIFFERS),
    ("approved by two",
     stated(lambda found: found["approvals"].append(dict(found["approvals"][0], name="Dewi"))), DIFFERS),
    ("no approval", stated(lambda found: found.pop("approvals")), DIFFERS),
    ("another entry was approved", cut_request, MISSING),
    ("approved by the person who asked",
     own_entry("request", 2, lambda found: [found[name].__setitem__(1, "user:andi")
                                            for name in ("actor", "state.decision.by")]), DIFFERS),
    ("the approval is a rejection",
     own_entry("request", 2, lambda found: found["state.decision.outcome"].__setitem__(1, "rejected")),
     DIFFERS),
    ("the approval left out", without("request", 2), MISSING),
    ("the filing left out", without("request", 1), MISSING),
    ("the approval not shown", unseen("request", 2), MISSING),
    ("the filing not shown", unseen("request", 1), MISSING),
    ("nothing of the request", without("request"), MISSING),
    ("the approver not opened", opens("request", 2, lambda found: found.pop("state.decision.name")), DIFFERS),
    ("the proof of the approval left out", no_proof, "record_not_logged"),
    ("the entries of another request", other_request, "statement_contradicts"),
    # the hold
    ("another hold", stated(lambda found: found["hold"].update(id="HLD-2026-9999999999")), DIFFERS),
    ("no hold", stated(lambda found: found.pop("hold")), DIFFERS),
    ("the hold's entry left out", without("hold"), MISSING),
    ("another span of the hold", told("hold", 1, "state.to", at(500)), OPENING),
    ("one more hold", one_more, FOREIGN),
    # cameras
    ("the camera stood elsewhere", camera_of(lat="-5.2"), DIFFERS),
    ("another name of the camera", camera_of(name="Jl. Lain"), DIFFERS),
    ("another kecamatan", camera_of(kecamatan="73.71.01"), DIFFERS),
    ("registered at another time", camera_of(registered_at=at(1)), DIFFERS),
    ("a change that nobody registered",
     stated(lambda found: found["cameras"][0].update(
         changes=[{"at": at(30)} | {key: value for key, value in found["cameras"][0].items()
                                    if key not in ("id", "registered_at")}])), DIFFERS),
    ("the camera's entry left out", without("camera", name="cam-1"), MISSING),
    ("each camera under the other's entry", exchanged_cameras, "statement_contradicts"),
    ("the proofs of two cameras exchanged", exchanged_proofs, LOG),
    ("a camera's place, opened", told("camera", 1, "state.lat", "-5.2", "cam-1"), OPENING),
    # recorders
    ("a recorder's key of the insider's own", own_recorder, "recorder_key_not_registered"),
    ("the recorder's registration left out", without("recorder"), "recorder_key_not_registered"),
    ("the recorder's registration not shown", unseen("recorder", 1), MISSING),
    # destructions
    ("another destroyed span",
     stated(lambda found: found["dispositions"][0].update(to=at(60))), "statement_contradicts"),
    # what must not be shown
    ("the requester's telephone number", hidden_opened, TOO_MUCH),
    ("the camera's address", source_opened, TOO_MUCH),
    ("a camera of another case", other_camera_opened, TOO_MUCH),
    # forms
    ("a salt that is none", opens("request", 1, lambda found: found["action"].__setitem__(0, "")), FORM),
    ("an opening without a commitment",
     opens("request", 1, lambda found: found.update({"state.x": ["0" * 64, 1]})), OPENING),
    ("an entry of both kinds", stated(lambda found: found["records"][0].update(entry="not_shown")), FORM),
    ("a version said to be another", stated(lambda found: found["records"][0].update(version=7)), MISSING),
]  # fmt: skip


def found(site: InsiderSite, package: Path, program: Openssl) -> set[str]:
    """The codes of all errors, the signer and the log pinned."""
    notebook = verified(site.world, package, site.world.pinned(), "now", program)
    return {one.code for one in notebook.findings if one.severity == findings.ERROR}


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in PACKAGES], ids=[row[0] for row in PACKAGES])
def test_a_statement_that_the_ledger_contradicts_is_found(
    site: InsiderSite, tmp_path: Path, program: Openssl, change: Change, code: str
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    change(forgery)
    forgery.seal()
    assert code in found(site, forgery.package, program)


def hidden_destruction(forgery: Forgery) -> None:
    """A destruction of the insider's own, whose entry is said to be an old one with secrets."""
    (one,) = forgery.stated["dispositions"]
    _remove(forgery, one)
    (forgery.package / paths.DISPOSITION_PROOFS).unlink()
    for member in ("path", "opened", "log"):
        one.pop(member)
    one.update({"entry": "not_shown", "from": at(0), "to": at(80)})


def test_a_destruction_that_is_not_shown_is_not_proven(
    site: InsiderSite, tmp_path: Path, program: Openssl
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    hidden_destruction(forgery)
    forgery.seal()
    notebook = verified(site.world, forgery.package, site.world.pinned(), "now", program)
    assert notebook.verdict == NOT_CHECKED
    assert [one.code for one in notebook.findings] == ["destruction_not_shown"]


def test_the_true_package_states_nothing_that_it_does_not_prove(site: InsiderSite, program: Openssl) -> None:
    notebook = verified(site.world, site.package, site.world.pinned(), "now", program)
    assert (notebook.findings, notebook.steps["records"]) == ([], "passed")
    assert notebook.statement is not None
    kinds = [(one["kind"], one["version"]) for one in notebook.statement["records"]]
    assert kinds == [
        ("request", 1), ("request", 2), ("hold", 1), ("camera", 1), ("camera", 1), ("recorder", 1)
    ]  # fmt: skip


def test_no_secret_and_nothing_of_another_case_is_in_a_package(site: InsiderSite) -> None:
    whole = b"".join(path.read_bytes() for path in sorted(site.package.rglob("*")) if path.is_file())
    assert [secret for secret in SECRETS if secret.encode() in whole] == []
    ledger = b"".join(site.world.target.get(one.key) for one in site.world.target.list("ledger/"))
    absent = [secret for secret in SECRETS if secret.encode() not in ledger]
    assert absent == ["s3cret", "token=abc"], "the archive has the others"


def test_what_is_not_opened_cannot_be_guessed(site: InsiderSite) -> None:
    """A telephone number has few digits; without its salt no list of all numbers finds it."""
    folder = site.package / "data/metadata/ledger"
    lines = b"".join(path.read_bytes() for path in folder.glob("*_request.json"))
    name = "state.requester.contact"
    for form in (CONTACT, f'["{name}","{CONTACT}"]', f'["{name}","","{CONTACT}"]'):
        assert sha256(form.encode()).hexdigest().encode() not in lines


def test_all_entries_left_out_are_missed_since_packages_have_them(
    site: InsiderSite, tmp_path: Path, program: Openssl
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    for one in forgery.stated.pop("records"):
        (forgery.package / one["path"]).unlink()
        (forgery.package / one["opened"]).unlink()
    (forgery.package / paths.ENTRY_PROOFS).unlink()
    world = forgery.world
    forgery.seal()
    assert found(site, forgery.package, program) == set(), "the golden packages, stamped before, have none"
    forgery.world = dataclasses.replace(world, clock=ManualClock(world.clock.now() + 2 * DAY))
    forgery.seal()
    late = dataclasses.replace(site, world=forgery.world)
    assert found(late, forgery.package, program) == {"records_missing"}


def test_a_package_that_contradicts_the_ledger_is_never_sealed(site: InsiderSite) -> None:
    plan = site.world.plan
    assert plan.request is not None
    other = dataclasses.replace(
        site.world,
        plan=dataclasses.replace(
            plan,
            evidence_id="EVD-2026-7777777777",
            request=dataclasses.replace(plan.request, name="Citra Lain"),
        ),
    )
    with pytest.raises(IntegrityError) as told_why:
        other.seal()
    assert told_why.value.code == "records_contradict"


# Hostile packages -------------------------------------------------------------------------------------

ODD = (None, True, 0, -1, 2**53 - 1, "", "x", "data/x", [], ["x"], {}, {"a": []}, [[]], at(0))


def twisted(value: Any, random: Random) -> Any:
    """The value with one member, somewhere, that is another or gone."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(sorted(value))
        if random.random() < 0.1:
            return {key: item for key, item in value.items() if key != name}
        return value | {name: twisted(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        return [*value[:place], twisted(value[place], random), *value[place + 1 :]]
    return random.choice(ODD)


def test_a_hostile_entry_is_a_finding_and_never_an_error_of_the_verifier(site: InsiderSite) -> None:
    """Its commitments fit, and the statement follows its digest: only what it says is odd."""
    random = Random("hostile entries")  # noqa: S311 - the same each time
    stated = canonical.decode((site.package / paths.STATEMENT).read_bytes())
    named = [*stated["records"], *stated["dispositions"]]
    true = {one[key]: (site.package / one[key]).read_bytes() for one in named for key in ("path", "opened")}
    quiet = 0
    for _ in range(600):
        parts, told = dict(true), canonical.decode(canonical.encode(stated))
        one = random.choice([*told["records"], *told["dispositions"]])
        line, opened = (canonical.decode(parts[one[key]]) for key in ("path", "opened"))
        if random.random() < 0.7:
            opened["opens"] = twisted(opened["opens"], random)
            for name, pair in opened["opens"].items() if isinstance(opened["opens"], dict) else ():
                if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str):
                    line["commits"][name] = wire.commitment(name, *pair)
        else:
            line = twisted(line, random)
        parts[one["path"]] = canonical.encode(line) if isinstance(line, dict) else b"[]"
        parts[one["opened"]] = canonical.encode(opened) if isinstance(opened, dict) else b"[]"
        one["sha256"] = sha256(parts[one["path"]]).hexdigest()
        findings_of: list[str] = []
        hold_against(told, parts.get, {}, lambda code, path, detail, to=findings_of: to.append(code))  # type: ignore[misc]
        assert set(findings_of) <= set(findings.ENTRIES)
        quiet += not findings_of
    assert quiet < 200, "of what an entry opens, most is compared"


def test_a_camera_whose_clock_stepped_back_between_edits_can_be_sealed(tmp_path: Path) -> None:
    """The entry in force is the one that the archive would give; a later one may have an earlier time."""
    clock = ManualClock(T0)
    made = small_archive(tmp_path)
    made.registry.add(camera_form(), actor="os:tester")
    head = made.ledger.head("camera", "cam-1")
    span = Timespan(T0 + 100 * SECOND, T0 + 200 * SECOND)
    for version, (second, name) in enumerate(((150, "Jl. Dua"), (90, "Jl. Tiga"), (160, "Jl. Empat")), 1):
        clock = ManualClock(T0 + second * SECOND)
        state = head.state | {"name": name}
        Ledger(made.stores.records, clock).append(
            "camera", "cam-1", state, expected=version, actor="os:tester", action="camera.edited"
        )
    prepare = preparer_of(made)
    request = SealRequest(
        evidence_id=EVIDENCE_ID, cameras=("cam-1",), span=span, case="x", actor="os:t", asked_at=span.end
    )
    changes = tuple(prepare._changes(request, frozenset()))
    camera = made.registry.as_of("cam-1", span.start)
    history = list(made.registry.history("cam-1"))
    assert [one.camera.name for one in changes] == ["Jl. Dua", "Jl. Empat"]
    stated = {
        "span": {"from": format_instant(span.start), "to": format_instant(span.end)},
        "cameras": [_camera_part(camera, changes)],
        "journals": [],
        "records": [],
    }
    parts: dict[str, bytes] = {}
    for entry in history:
        data = made.stores.records.get(entry.key)
        path = paths.entry(entry.version, "camera")
        parts[path] = wire.line_of(data)
        parts[paths.opened(path)] = canonical.encode(wire.openings(data, SHOWN["camera"]))
        stated["records"].append(
            {
                "kind": "camera", "id": "cam-1", "version": entry.version, "sha256": entry.digest,
                "path": path, "opened": paths.opened(path),
            }
        )  # fmt: skip
    found_codes: list[str] = []
    hold_against(stated, parts.get, {}, lambda code, path, detail: found_codes.append(f"{code} {detail}"))
    assert found_codes == []


def _camera_part(camera: Camera, changes: tuple[CameraChange, ...]) -> dict[str, Any]:
    def facts(one: Camera) -> dict[str, Any]:
        state = to_state(one)
        return {name: state[name] for name in FACTS}

    first = {"id": camera.id, "registered_at": format_instant(camera.registered_at)} | facts(camera)
    return first | {"changes": [{"at": format_instant(one.at)} | facts(one.camera) for one in changes]}


# Entries of version 1 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    """The same story in an archive of 0.1.0."""
    folder = tmp_path_factory.mktemp("old")
    return insider_site(folder, archive=old_archive(folder))


def test_old_entries_with_secrets_are_named_and_not_shown(old: InsiderSite, program: Openssl) -> None:
    notebook = verified(old.world, old.package, old.world.pinned(), "now", program)
    assert notebook.valid, notebook.findings
    assert sorted(one.detail for one in notebook.findings) == [
        "camera cam-1", "camera cam-2", "hold HLD-2026-0123456789"
    ]  # fmt: skip
    assert {one.code for one in notebook.findings} == {"record_not_shown"}
    assert notebook.statement is not None
    shown = [one["kind"] for one in notebook.statement["records"] if "path" in one]
    assert shown == ["request", "request", "recorder"]
    whole = b"".join(path.read_bytes() for path in sorted(old.package.rglob("*")) if path.is_file())
    mine = (CONTACT, REMARK, "alasan", "sesuai surat")  # a request's entries go to those who asked
    assert [secret for secret in SECRETS if secret.encode() in whole and secret not in mine] == []


def asked_otherwise(forgery: Forgery) -> None:
    """Another requester, in the statement and in an old entry of the insider's own."""
    forgery.stated["request"]["requester"]["name"] = "Citra Lain"
    one = record(forgery, "request", 2)
    path = forgery.package / one["path"]
    path.write_bytes(path.read_bytes().replace(b"Andi Contoh", b"Citra Lain"))
    one["sha256"] = sha256(path.read_bytes()).hexdigest()


def camera_shown(forgery: Forgery) -> None:
    """An old entry of a camera is shown whole, with its source."""
    one = record(forgery, "camera", 1, "cam-1")
    del one["entry"]
    one["path"] = paths.entry(9, "camera")
    data = forgery.world.target.get("ledger/camera/cam-1/00000001.json")
    (forgery.package / one["path"]).write_bytes(data)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (stated(lambda found: found["request"]["requester"].update(name="Citra Lain")), DIFFERS),
        (asked_otherwise, LOG),
        (asked_otherwise, DIFFERS),
        (camera_shown, TOO_MUCH),
        (approval(by="user:dewi"), DIFFERS),
    ],
)
def test_old_entries_are_held_to_the_statement_too(
    old: InsiderSite, tmp_path: Path, program: Openssl, change: Change, code: str
) -> None:
    forgery = Forgery(old, tmp_path / "package")
    change(forgery)
    forgery.seal()
    assert code in found(old, forgery.package, program)


def test_a_batch_of_a_key_that_was_not_given_is_an_error(
    site: InsiderSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own,) = registered_keys_of(site.log.archive.ledger)
    pem, other = tmp_path / "rec-1.pem", tmp_path / "other.pem"
    pem.write_text(f"# {own.recorder}\n{own.pem}")
    other.write_bytes(public_pem())
    given = [str(site.package), "--trust", str(site.world.keys / "root.pem"), "--at", "stamp", "--lang", "en"]
    for keys, code in (((pem,), 0), ((other,), 1), ((other, pem), 0)):
        extra = [word for key in keys for word in ("--recorder-key", str(key))]
        assert command.main([*given, *extra]) == code, keys
        assert ("[recorder_key_unexpected]" in capsys.readouterr().out) == (code == 1)
    assert command.main([*given, "--recorder-key", str(site.world.keys / "root.pem")]) == 2
    trust = load_trust([site.world.keys / "root.pem"], [], None, recorder_keys=[other, pem])
    assert len(trust.recorder_keys) == 2
    assert site.world.verify(site.package, trust=trust).valid
    alone = load_trust([site.world.keys / "root.pem"], [], None, recorder_keys=[other])
    codes = {one.code for one in site.world.verify(site.package, trust=alone).findings}
    assert "recorder_key_unexpected" in codes


@pytest.mark.parametrize("first", [Ledger, OldLedger])
@pytest.mark.parametrize("second", [Ledger, OldLedger])
def test_an_approval_binds_to_the_entry_in_streams_of_both_versions(
    tmp_path: Path, first: type[Ledger], second: type[Ledger]
) -> None:
    clock = ManualClock(T0)
    records = FilesystemStore(tmp_path, clock)
    request = asked(first(records, clock), clock, cameras=("cam-1",), span=SPAN)
    request.entries()
    clock.advance(SECOND)
    request.append = second(records, clock).append
    facts = request.approve(EVIDENCE_ID)
    ledger = Ledger(records, clock)
    approved = check_approval(ledger, facts.id, facts.entry_sha256, evidence_id=EVIDENCE_ID)
    assert approved.decision is not None
    assert approved.decision.by == "user:budi"
    with pytest.raises(Refused):
        check_approval(ledger, facts.id, ledger.head("request", facts.id).digest)
