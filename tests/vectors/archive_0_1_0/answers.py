"""What an archive answers, asked through the command line alone: ``expected.json`` is this, said by 0.1.0.

Nothing here names a module of the product, so that moving one changes no line of this. Commands that are
renamed are renamed here too; the answers stay.
"""

import json
import tarfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.support.commands_at import CommandsAt

BEGIN, NIGHT, END = "2026-09-01T08:00:00+08:00", "2026-11-24T14:00:00+08:00", "2026-11-26T00:00:00+08:00"
CAMERAS = ("cam-losari", "cam-masjid", "cam-toko")


def instant_of(text: str) -> int:
    """An instant of ``expected.json`` in µs."""
    moment = datetime.fromisoformat(text)
    return round(moment.timestamp()) * 1_000_000


def unpack(source: Path, home: Path) -> None:
    """Put the archive into a home."""
    with tarfile.open(source) as tar:
        tar.extractall(home, filter="data")


def answers_of(source: Path, home: Path, out: Path, now: str) -> dict[str, Any]:
    """Unpack, rebuild an empty index from the archive alone, and ask everything at the instant ``now``."""
    unpack(source, home)
    saksi = CommandsAt(home, lambda: instant_of(now))
    rebuilt = saksi("index", "rebuild", "--json")
    return {
        "rebuild": {"exit": rebuilt.code, **json.loads(rebuilt.out)},
        **answers(saksi, out, now),
    }


def answers(saksi: CommandsAt, folder: Path, read_from: str) -> dict[str, Any]:
    """Every answer. ``folder`` takes what is written; acts from ``read_from`` on are the reader's own."""

    def ask(*words: str) -> Any:
        answer = saksi(*words, "--json")
        return {
            "exit": answer.code,
            **(json.loads(answer.out) if answer.out else {"code": answer.problem["code"]}),
        }

    root = str(saksi.home / "keys" / "root.pem")
    found: dict[str, Any] = {
        "log_show": ask("log", "show", "--count", "1000"),
        "log_verify": ask("log", "verify", "--all", "--trust", root),
        "archive_check": ask("archive", "check"),
        "archive_check_deep": ask("archive", "check", "--deep"),
        "index_status": _without(ask("index", "status"), "location"),
        "cameras": {one: ask("camera", "show", one) for one in CAMERAS},
        "recordings": ask("recordings", "--from", BEGIN, "--to", END),
        "clips": {one: _clip(ask, folder, one) for one in CAMERAS[:2]},
        "policies": ask("retention", "policies"),
        "policy_histories": {
            one: ask("retention", "show", one)
            for one in ("default", "owner:business", "camera:cam-masjid", "kecamatan:73.71.01")
        },
        "explained": {one: ask("retention", "explain", "--camera", one) for one in CAMERAS},
        "break_glass": ask("break-glass", "show"),
        "incidents": ask("integrity-incident", "list"),
        "keys": ask("keys", "list"),
        "viewers": {one: ask("user", "viewers", one) for one in CAMERAS},
        "orphans": ask("archive", "orphans"),
    }
    users, grants = ask("user", "list"), ask("grant", "list")
    found["users"] = {one["name"]: ask("user", "show", one["name"]) for one in users["users"]}
    found["grants"] = {one["id"]: ask("grant", "show", one["id"]) for one in grants["grants"]}
    holds = [one["id"] for one in ask("hold", "list", "--all")["holds"]]
    found["holds"] = {one: ask("hold", "show", one) for one in holds}
    requests = [one["id"] for one in ask("request", "list")["requests"]]
    found["requests"] = {one: ask("request", "show", one) for one in requests}
    found["handover_reports"] = {
        one: _handover_report(ask, folder, one) for one, told in found["requests"].items() if _is_given(told)
    }
    evidence = ask("evidence", "list")["evidence"]
    found["evidence"] = evidence
    found["packages"] = {}
    pinned = [word for one in found["keys"]["certificates"] for word in _pin(one)]
    for one in evidence:
        if one["status"] == "sealed":
            name = one["package"]["evidence_id"]
            found["packages"][name] = _package(saksi, ask, folder, name, ["--trust", root, *pinned])
    found["dispositions"] = {
        one["id"]: _disposition(saksi, ask, folder, one)
        for one in ask("retention", "dispositions")["dispositions"]
    }
    items = [*CAMERAS, *holds, *requests, *found["packages"]]
    found["custody"] = {one: _custody(saksi, "--item", one, until=read_from) for one in items}
    for person in ("user:citra", "user:budi", "user:berkas", "os:kominfo", "os:kadis", "os:indra"):
        found["custody"][person] = _custody(saksi, "--person", person, until=read_from)
    found["proof"] = ask("log", "prove", found["clips"]["cam-losari"]["pieces"][0]["original"])
    return _plain(found, str(folder))


def _clip(ask: Any, folder: Path, camera: str) -> dict[str, Any]:
    path = folder / f"{camera}.mp4"
    span = ("--from", "2026-11-24T14:00:03.3+08:00", "--to", "2026-11-24T14:00:21.2+08:00")
    told = ask("clip", "--camera", camera, *span, "-o", str(path))
    if path.exists():
        told["file_sha256"] = sha256(path.read_bytes()).hexdigest()
    return dict(told)


def _is_given(request: dict[str, Any]) -> bool:
    return request["status"] in ("handed_over", "closed")


def _handover_report(ask: Any, folder: Path, request: str) -> dict[str, Any]:
    path = folder / f"{request}.pdf"
    told = ask("request", "handover-report", request, "-o", str(path))
    return {**told, "file_sha256": sha256(path.read_bytes()).hexdigest()}


def _package(saksi: CommandsAt, ask: Any, folder: Path, name: str, trust: list[str]) -> dict[str, Any]:
    path = folder / f"{name}.zip"
    saksi.must("evidence", "download", name, "-o", str(path))
    told = ask("verify", str(path), *trust, "--at", "stamp")
    for finding in told["findings"]:  # the sentences may be put into plainer words
        for words in ("message", "sentence", "rests_on"):
            finding.pop(words, None)
    return {"bytes": path.stat().st_size, "verdict": told}


def _pin(certificate: dict[str, Any]) -> tuple[str, ...]:
    option = {"seal": "--signer", "log": "--log-key"}.get(certificate["role"])
    return (option, certificate["sha256"]) if option and certificate["status"] == "current" else ()


def _disposition(saksi: CommandsAt, ask: Any, folder: Path, stated: dict[str, Any]) -> dict[str, Any]:
    name = stated["id"]
    path = folder / f"{name}.pdf"
    record = saksi("retention", "record", name, "--pdf", str(path), "--json")
    return {
        "stated": stated,
        "record_sha256": sha256(record.out.rstrip("\n").encode()).hexdigest(),
        "record": json.loads(record.out),
        "pdf_sha256": sha256(path.read_bytes()).hexdigest(),
        "verdict": ask("retention", "record", name, "--verify"),
    }


def _custody(saksi: CommandsAt, *about: str, until: str) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = json.loads(saksi.must("custody", "show", *about, "--json").out)["acts"]
    # What an act is called in two languages may be put into plainer words.
    return [_without(one, "label") for one in acts if one["at"] < until]


def _without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


def _plain(value: Any, folder: str) -> Any:
    """The same without the folder of this one reading."""
    return json.loads(json.dumps(value).replace(folder, "FOLDER"))
