"""Makes the archive of this folder: ``python -m tests.vectors.archive_0_1_0.make FOLDER``.

A small city of three cameras from September to November 2026, written by the code of version 0.1.0: by its
commands, its HTTP interface and its recorder's ingest, each at its own instant. What is packed is the footage
and the records, and the certificates that they are judged by: no private key, no password, no token, no
index, no cache. ``expected.json`` is what 0.1.0 itself answered about it after that.

Every later version must read it. It is therefore never made anew: this module says how it was made.
"""

import io
import json
import socket
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.clock import ManualClock
from archive.model.gap import GapCause, RunEnd
from archive.timespan import MINUTE, SECOND, format_instant, parse_instant
from ops.settings import Settings
from ops.wiring import Site as Installation
from tests.support.commands_at import CommandsAt
from tests.support.people import caller, catch_up
from tests.support.requesting import JPEG, PDF
from tests.vectors.archive_0_1_0.answers import BEGIN, NIGHT, answers_of
from tests.vectors.archive_0_1_0.city import City, RecorderOnDisk, encoded

LOSARI, MASJID, TOKO = "cam-losari", "cam-masjid", "cam-toko"
FACTS = {
    LOSARI: ("Jl. Penghibur, Pantai Losari", "73.71.01", "public"),
    MASJID: ("Masjid Raya, gerbang timur", "73.71.02", "worship"),
    TOKO: ("Toko Terong, pintu depan", "73.71.13", "business"),
}
PEOPLE = {
    "kominfo": ("admin",),
    "citra": ("war_room",),
    "budi": ("war_room",),
    "berkas": ("police", "--agency", "polrestabes"),
    "perda": ("satpol_pp", "--agency", "satpolpp"),
    "erna": ("kecamatan", "--district", "73.71.01"),
    "indra": ("auditor",),
    "lama": ("war_room",),
}
KEPT = ("archive/footage", "archive/records")
PUBLIC_KEYS = ("*.pem", "trust/**/*")


def story(city: City) -> None:
    """All that happens, from the first day to the last."""
    _open(city)
    first, second = _september(city)
    _policies(city)
    _disposition(city)
    _keys(city)
    _november(city, first, second)
    _holds(city)
    _requests(city)
    _handed_over(city)
    _no_footage(city)
    _last_acts(city)
    city.checkpoint()


def _open(city: City) -> None:
    city.do("kominfo", "keys", "init", "--json")
    for camera, (name, district, owner) in FACTS.items():
        city.do(
            "kominfo", "camera", "add", camera, "--source", f"rtsp://192.0.2.7/{camera}", "--name", name,
            "--lat", "-5.143600", "--lon", "119.407100", "--kecamatan", district,
            "--kelurahan", f"{district}.1001", "--owner", owner, "--view", "public",
            "--segment-seconds", "8", "--reason", "Izin 7/2026", "--json",
        )  # fmt: skip
    for name, (role, *rest) in PEOPLE.items():
        city.do(
            "kominfo", "user", "add", name, "--role", role, *rest, "--full-name", name.title(), "--generate",
            "--reason", "SK 12/2026", "--json",
        )  # fmt: skip
    city.do("kominfo", "user", "disable", "lama", "--reason", "pensiun")
    city.do("kominfo", "user", "change", "erna", "--role", "kecamatan", "--district", "73.71.01",
            "--district", "73.71.02", "--reason", "merangkap")  # fmt: skip
    city.do("kominfo", "token", "create", "war-room-1", "--action", "clips.read", "--json")
    city.do("kominfo", "token", "create", "uji", "--json")
    city.do("kominfo", "token", "revoke", "uji")
    basis = ("--basis", "Perwali 4/2017 pasal 9", "--reason", "keputusan awal", "--json")
    city.do("kominfo", "retention", "propose", "default", "--min", "30", "--max", "90", *basis)
    city.do("kominfo", "retention", "propose", "owner:business", "--min", "30", "--max", "60", *basis)
    for scope in ("default", "owner:business"):
        city.do("kadis", "retention", "approve", scope, "--reason", "setuju", "--json")
    city.do("kominfo", "retention", "propose", "camera:cam-masjid", "--min", "30", "--max", "never", *basis)


def _september(city: City) -> tuple[RecorderOnDisk, RecorderOnDisk]:
    """Old footage, and a hold over some of it."""
    city.at("2026-09-02T10:00:00+08:00")
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)]
    first, second = (
        RecorderOnDisk(f"rec-{number}", city.site, city.home / f"spool-{number}", key)
        for number, key in enumerate(keys, 1)
    )
    start = city.clock.now()
    city.clock.advance(2 * MINUTE)
    for recorder, camera, number in ((first, LOSARI, 1), (first, MASJID, 2), (second, TOKO, 3)):
        registered = city.site.registry.camera(camera).registered_at
        city.gap(recorder, camera, registered, start, GapCause.UNREACHABLE)
        end = city.run(recorder, camera, f"6a1500000000000{number}", start, RunEnd.STOPPED)
        assert end < city.clock.now()
    for recorder in (first, second):
        recorder.upload()
    city.do(
        "kominfo", "hold", "place", "--camera", TOKO, "--from", format_instant(start),
        "--to", format_instant(start + 8 * SECOND), "--case", "LP/B/7/IX/2026", "--owner", "war-room",
        "--basis", "surat 7/2026", "--review-at", "2026-12-01T00:00:00+08:00", "--json",
    )  # fmt: skip
    return first, second


def _policies(city: City) -> None:
    """A shortening by two people, one that is rejected, and one that nobody decided on."""
    city.at("2026-09-10T09:00:00+08:00")
    shorter = ("--min", "30", "--max", "60", "--basis", "Perwali 4/2017 pasal 9", "--reason", "penuh")
    city.do("kominfo", "retention", "propose", "default", *shorter, "--json")
    city.do("kadis", "retention", "approve", "default", "--reason", "setuju", "--json")
    business = ("--min", "30", "--max", "40", "--basis", "usul", "--reason", "usul")
    city.do("kominfo", "retention", "propose", "owner:business", *business, "--json")
    city.do("kadis", "retention", "reject", "owner:business", "--reason", "terlalu singkat", "--json")
    longer = ("--min", "40", "--max", "120", "--basis", "surat camat", "--reason", "rawan")
    city.do("kominfo", "retention", "propose", "kecamatan:73.71.01", *longer, "--json")
    city.do("kominfo", "retention", "propose", "kecamatan:73.71.01", *shorter, "--json")
    city.job("locks")


def _disposition(city: City) -> None:
    """What is due goes; then what a lawful order names, before its term."""
    city.at("2026-11-10T09:00:00+08:00")
    city.do("kominfo", "retention", "apply", "--reason", "rutin", "--json")
    order = city.do(
        "kominfo", "break-glass", "order", "--camera", MASJID, "--from", "2026-09-02T10:00:08+08:00",
        "--to", "2026-09-02T10:00:16+08:00", "--number", "PN/1/2026", "--authority", "Pengadilan Negeri",
        "--basis", "penetapan 1/2026", "--json",
    )  # fmt: skip
    city.do("kadis", "break-glass", "approve", order["id"], "--reason", "salinan dilihat", "--json")
    city.do("kadis", "break-glass", "execute", order["id"], "--confirm", "PN/1/2026", "--json")
    city.do(
        "kominfo", "break-glass", "order", "--camera", LOSARI, "--from", "2026-09-02T10:00:00+08:00",
        "--to", "2026-09-02T10:00:08+08:00", "--number", "PN/2/2026", "--authority", "Pengadilan Negeri",
        "--basis", "penetapan 2/2026", "--json",
    )  # fmt: skip
    city.job("dispose")


def _keys(city: City) -> None:
    """The seal and the log get new keys; the first seal is revoked as superseded."""
    city.at("2026-11-20T09:00:00+08:00")
    old = city.do("kominfo", "keys", "show", "--json")["signer_sha256"]
    city.do("kominfo", "keys", "rotate", "seal", "--json")
    city.do("kominfo", "keys", "rotate", "log", "--json")
    city.do("kominfo", "keys", "revoke", old, "--reason", "superseded", "--json")


def _november(city: City, first: RecorderOnDisk, second: RecorderOnDisk) -> None:
    """Footage of the day, gaps of every cause before it, a camera that is switched off."""
    city.at("2026-11-24T13:00:00+08:00")
    second.key = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
    changed = RecorderOnDisk("rec-2", city.site, city.home / "spool-2", second.key)
    city.at(NIGHT)
    start = city.clock.now()
    city.clock.advance(10 * MINUTE)
    september = parse_instant("2026-09-02T10:00:24+08:00")
    every = [cause for cause in GapCause if cause not in (GapCause.DISPOSED, GapCause.DISABLED)]
    for recorder, camera, number in ((first, LOSARI, 4), (first, MASJID, 5), (changed, TOKO, 6)):
        causes = every if camera == MASJID else [GapCause.RECORDER_RESTART]
        city.gap(recorder, camera, september, start, *causes)
        end = city.run(recorder, camera, f"6a1500000000000{number}", start, RunEnd.UNREACHABLE)
        again = end + 20 * SECOND
        city.gap(recorder, camera, end, again, GapCause.UNREACHABLE)
        last = RunEnd.PARAMETER_CHANGE if camera == LOSARI else RunEnd.STOPPED
        end = city.run(
            recorder, camera, f"6a1500000000001{number}", again, last, source="b", uncertain=camera == MASJID
        )
        if camera == LOSARI:
            end = city.run(recorder, camera, "6a15000000000027", end, RunEnd.CLOCK_STEP)
            city.gap(recorder, camera, end, end + 3 * SECOND, GapCause.CLOCK_STEP)
    city.do("kominfo", "camera", "disable", TOKO, "--reason", "renovasi", "--json")
    off = city.clock.now()
    city.gap(changed, TOKO, end, off, GapCause.STALLED)
    city.gap(changed, TOKO, off, off + MINUTE, GapCause.DISABLED)
    city.clock.advance(2 * MINUTE)
    for recorder in (first, changed):
        recorder.upload()
    city.job("locks")
    city.do(
        "kominfo", "camera", "edit", LOSARI, "--name", "Jl. Penghibur, anjungan", "--reason", "nama", "--json"
    )


def _holds(city: City) -> None:
    """One in force, one released by two people, one whose release waits."""
    city.at("2026-11-24T15:00:00+08:00")
    made = []
    for number, camera in enumerate((LOSARI, MASJID, TOKO)):
        placed = city.do(
            "citra", "hold", "place", "--camera", camera, "--from", NIGHT, "--to",
            "2026-11-24T14:00:16+08:00", "--case", f"LP/B/{number}/XI/2026", "--owner", "war-room",
            "--basis", f"surat {number}", "--review-at", "2026-12-24T00:00:00+08:00", "--json",
        )  # fmt: skip
        made.append(placed["id"])
    city.do(
        "citra",
        "hold",
        "extend",
        made[0],
        "--to",
        "2026-11-24T14:00:24+08:00",
        "--reason",
        "mundur",
        "--json",
    )
    city.do(
        "citra",
        "hold",
        "review",
        made[0],
        "--review-at",
        "2027-01-24T00:00:00+08:00",
        "--reason",
        "perlu",
        "--json",
    )
    city.do("kominfo", "hold", "release", made[1], "--reason", "selesai", "--json")
    city.do("kadis", "hold", "approve-release", made[1], "--json")
    city.do("kominfo", "hold", "release", made[2], "--reason", "selesai", "--json")
    city.do("kominfo", "hold", "withdraw-release", made[2], "--reason", "belum", "--json")
    city.do("kominfo", "hold", "release", made[2], "--reason", "kini selesai", "--json")


def form(number: int, camera: str, **changes: Any) -> dict[str, Any]:
    """A request in which nothing is missing."""
    return {
        "requester": {
            "name": "Budi Santoso", "rank": "Iptu", "nrp_nip": "84010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
        },
        "letter": {"number": f"B/{number}/XI/2026/Reskrim", "date": "2026-11-24", "sha256": ""},
        "legal_basis": [{"kind": "lp", "number": f"LP/B/{number}/XI/2026", "article": "Pasal 363"}],
        "case": f"LP/B/{number}/XI/2026",
        "purpose": "pencurian",
        "cameras": [camera],
        "from": "2026-11-24T14:00:02+08:00",
        "to": "2026-11-24T14:00:12+08:00",
        "urgent": False,
        **changes,
    }  # fmt: skip


def _file(city: City, number: int, camera: str, **changes: Any) -> dict[str, Any]:
    path, scan = city.home / "request.json", city.home / "letter.pdf"
    path.write_text(json.dumps(form(number, camera, **changes)))
    scan.write_bytes(PDF + f"%{number}\n".encode())
    letter = () if changes.get("urgent") else ("--letter", str(scan))
    filed: dict[str, Any] = city.do(
        "dewi", "request", "file", "--json", str(path), *letter, "--agency", "polrestabes"
    )
    return filed


def _decide(city: City, act: str, request: dict[str, Any], *more: str, by: str = "citra") -> Any:
    return city.do(
        by, "request", act, request["id"], "--version", str(request["version"]),
        "--reason", "diperiksa", *more, "--json",
    )  # fmt: skip


def _requests(city: City) -> None:
    """Requests on paper: one in each state that needs no handover."""
    city.at("2026-11-24T16:00:00+08:00")
    nothing = {"number": "", "date": "", "sha256": ""}
    _file(city, 1, LOSARI, urgent=True, letter=nothing)
    _decide(city, "reject", _file(city, 2, MASJID))
    _decide(city, "cancel", _file(city, 3, TOKO), by="dewi")
    _decide(city, "approve", _file(city, 4, MASJID))
    city.job("requests")
    city.job("seal")
    city.job("holds")


def _handed_over(city: City) -> None:
    """Over HTTP: amended, approved, sealed, handed over, fetched, confirmed; one of two closed."""
    city.at("2026-11-24T17:00:00+08:00")
    site = city.api()
    catch_up(site)
    police, citra, budi = (caller(site, name) for name in ("berkas", "citra", "budi"))

    def must(answer: Any) -> Any:
        assert answer.is_success, answer.text
        city.clock.advance(SECOND)
        return answer.json()

    def change(who: Any, one: str, act: str, **body: Any) -> Any:
        etag = police.get(one).headers["etag"]
        return must(who("POST", f"{one}/{act}", json=body, headers={"If-Match": etag}))

    asked = []
    for number in (5, 6):
        scan = must(police("POST", "/v1/requests/attachments", content=PDF))["sha256"]
        letter = {"number": f"B/{number}/XI/2026", "date": "2026-11-24", "sha256": scan}
        filed = must(police("POST", "/v1/requests", json=form(number, LOSARI, letter=letter)))
        one = f"/v1/requests/{filed['id']}"
        asked.append(one)
        if number == 5:
            wider = form(5, LOSARI, letter=letter, to="2026-11-24T14:00:40+08:00")
            change(police, one, "amend", **wider, reason="lebih lama")
            photo = must(police("POST", "/v1/requests/attachments", content=JPEG))["sha256"]
            change(police, one, "attachments", kind="other", sha256=photo, name="foto")
            change(police, one, "comments", text="mohon segera")
        change(citra, one, "approve", reason="surat lengkap")
    city.checkpoint()
    city.job("requests")
    city.job("seal")
    for one in asked:
        given = change(budi, one, "handover", downloads=2, note="loket")
    for one in asked[:1]:
        begun = must(police("POST", f"{one}/handover/downloads"))
        whole = police.get(begun["url"])
        assert whole.status_code == 200, whole.text
        evidence = police.get(one).json()["evidence_id"]
        package = city.site.ledger.head("evidence", evidence).state["package"]
        confirmed = {name: package[name] for name in ("tagmanifest_sha256", "signer_sha256")}
        must(police("POST", f"{one}/handover/confirm", json=confirmed))
        change(budi, one, "close", hold="release", reason="perkara diputus")
    assert given["recipient"]["person"] == "user:berkas"
    # What was looked at, and what was refused.
    for who, path in (
        (caller(site, "erna"), f"/v1/cameras/{LOSARI}/clip"),
        (caller(site, "citra"), f"/v1/cameras/{LOSARI}/clip.mp4"),
        (caller(site, "indra"), f"/v1/cameras/{LOSARI}/clip.mp4"),
        (caller(site, "citra"), f"/v1/cameras/{MASJID}/playlist.m3u8"),
    ):
        who.get(path, params={"from": "2026-11-24T14:00:03+08:00", "to": "2026-11-24T14:00:09+08:00"})
    city.job("seal")
    city.job("handover")
    city.job("holds")


def _no_footage(city: City) -> None:
    """A statement under seal that there is none, a package without a request, and what is granted."""
    city.at("2026-11-24T18:00:00+08:00")
    span = {"from": "2026-10-01T00:00:00+08:00", "to": "2026-10-01T01:00:00+08:00"}
    _decide(city, "approve", _file(city, 7, LOSARI, **span), "--no-footage")
    city.job("requests")
    city.job("seal")
    city.do(
        "citra", "seal", "--camera", LOSARI, "--camera", MASJID, "--from", "2026-11-24T14:00:20+08:00",
        "--to", "2026-11-24T14:00:50+08:00", "--case", "LP/B/11/XI/2026",
        "-o", str(city.home / "package.zip"), "--json",
    )  # fmt: skip
    city.do(
        "kominfo", "grant", "give", "--camera", LOSARI, "--from", NIGHT, "--to", "2026-11-24T14:01:00+08:00",
        "--until", "2026-12-24T00:00:00+08:00", "--basis", "surat 9", "--person", "berkas", "--json",
    )  # fmt: skip
    given = city.do(
        "kominfo", "grant", "give", "--camera", TOKO, "--from", NIGHT, "--to", "2026-11-24T14:01:00+08:00",
        "--until", "2026-12-24T00:00:00+08:00", "--basis", "surat 10", "--agency", "satpolpp",
        "--right", "view", "--right", "download", "--json",
    )  # fmt: skip
    city.do("kominfo", "grant", "revoke", given["id"], "--reason", "keliru")


def _last_acts(city: City) -> None:
    """A disk that altered two segments, which came back from a backup; who looked at it all."""
    city.at("2026-11-25T09:00:00+08:00")
    span = {"from": "2026-11-24T14:00:53+08:00", "to": "2026-11-24T14:01:07+08:00"}
    _decide(city, "approve", _file(city, 9, MASJID, **span))
    city.job("requests")
    altered = sorted((city.home / "archive/footage/segments" / MASJID / "2026/11/24").rglob("*.mp4"))[-2:]
    before = [path.read_bytes() for path in altered]
    for path, content in zip(altered, before, strict=True):
        _overwrite(path, content[:-1] + bytes([content[-1] ^ 1]))
    city.clock.advance(MINUTE)
    city.saksi("fixity", "run", "--all", "--json", by="saksi")
    city.job("seal")
    for path, content in zip(altered, before, strict=True):
        _overwrite(path, content)
    found = city.do("indra", "incident", "list", "--json")["incidents"]
    assert {one["code"] for one in found} == {"bytes_differ", "original_altered"}, found
    city.do("kominfo", "incident", "close", found[0]["id"], "--reason", "dari cadangan", "--json")
    city.do("indra", "recordings", "--from", BEGIN, "--to", NIGHT, "--purpose", "pemeriksaan", "--json")
    city.do("indra", "custody", "show", "--item", LOSARI, "--purpose", "pemeriksaan", "--json")
    city.job("canary")
    _decide(city, "approve", _file(city, 8, TOKO))


def _overwrite(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(mode)


def packed(home: Path) -> Iterator[Path]:
    """What goes into the fixture, in order."""
    for part in KEPT:
        yield from sorted(path for path in (home / part).rglob("*") if path.is_file())
    for pattern in PUBLIC_KEYS:
        yield from sorted(path for path in (home / "keys").glob(pattern) if path.is_file())


def pack(home: Path, target: Path) -> None:
    """Write the tar, its members in order and without owner or time."""
    with tarfile.open(target, "w:xz", preset=9) as tar:
        for path in packed(home):
            content = path.read_bytes()
            assert b"PRIVATE KEY" not in content, path
            member = tarfile.TarInfo(str(path.relative_to(home)))
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))


def make(out: Path) -> None:
    """Write ``archive.tar.xz`` and ``expected.json`` into ``out``."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        home = folder / "home"
        clock = ManualClock(parse_instant(BEGIN))
        footage = {"a": encoded(folder, "a"), "b": encoded(folder, "b", "-bf", "2")}
        with (
            patch.object(socket, "gethostname", lambda: "saksi-1"),
            Installation(Settings.load({"SAKSI_HOME": str(home)}), clock) as site,
        ):
            story(City(home, clock, site, CommandsAt(home, clock.now), footage))
        pack(home, out / "archive.tar.xz")
        now = format_instant(clock.now() + 5 * MINUTE)
        (folder / "read").mkdir()
        (folder / "out").mkdir()
        told = answers_of(out / "archive.tar.xz", folder / "read", folder / "out", now)
        expected = {"now": now, "answers": told}
    (out / "expected.json").write_text(
        json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
