"""``saksi fixity``, ``incident``, ``archive check`` and ``break-glass`` as people use them."""

import json
from pathlib import Path

from archive.clock import SystemClock
from ops import keys
from tests.support.archives import camera_form, small_archive
from tests.support.command_line import CommandLine
from tests.support.host_people import Person, people_can_sign_in

SPAN = ("--from", "2026-11-24T14:00:10+08:00", "--to", "2026-11-24T14:00:30+08:00")


def test_from_a_flipped_byte_to_a_closed_incident(tmp_path: Path) -> None:
    site = small_archive(tmp_path / "archive")
    site.register_recorder()
    site.registry.add(camera_form(), actor="os:tester")
    segments = [site.keep(number) for number in range(4)]
    site.write_journal(segments)
    site.index.close()
    saksi = CommandLine(
        tmp_path / "home",
        {
            "SAKSI_ARCHIVE_URL": f"file://{tmp_path / 'archive'}",
            "SAKSI_INDEX_URL": f"sqlite:///{tmp_path / 'archive' / 'index.sqlite'}",
        },
    )
    fine = saksi("fixity", "run", "--camera", "cam-1", "--json")
    assert (fine.code, fine.json["valid"], fine.json["objects"]) == (0, True, 4)
    path = tmp_path / "archive" / "footage" / segments[2].key
    path.chmod(0o600)
    path.write_bytes(b"x" * segments[2].size)
    found = saksi("fixity", "run", "--camera", "cam-1", *SPAN, "--json")
    assert found.code == 4
    assert [one["object"] for one in found.json["findings"]] == [segments[2].key]
    deep = saksi("archive", "check", "--deep", "--json")
    assert deep.code == 1
    assert ("I1", "bytes_differ") in {(one["invariant"], one["code"]) for one in deep.json["breaches"]}

    assert saksi("index", "rebuild").code == 0  # a list is answered by a whole index alone
    (incident,) = saksi("integrity-incident", "list", "--status", "open", "--json").json["incidents"]
    assert incident["subject"] == segments[2].key
    status = saksi("fixity", "status", "--json").json
    assert (status["percent"], status["cameras"][0]["findings"]) == (100, 1)
    assert [one["id"] for one in status["open_incidents"]] == [incident["id"]]
    doctor = json.loads(saksi("doctor", "--json").out)["diagnoses"]
    assert [one["light"] for one in doctor if one["subject"] == "fixity"] == ["red"]
    assert saksi("integrity-incident", "close", incident["id"], "--reason", "from backup", "--json").code == 0
    assert (
        saksi("integrity-incident", "show", incident["id"], "--json").json["closed_reason"] == "from backup"
    )


def test_break_glass_on_the_command_line_needs_another_person(tmp_path: Path) -> None:
    people_can_sign_in()
    site = small_archive(tmp_path / "archive")
    keys.init(tmp_path / "home" / "keys", clock=SystemClock())  # the commands sign with today's date
    site.registry.add(camera_form(), actor="os:tester")
    segments = [site.keep(number) for number in range(4)]
    site.index.close()
    where = {
        "SAKSI_ARCHIVE_URL": f"file://{tmp_path / 'archive'}",
        "SAKSI_INDEX_URL": f"sqlite:///{tmp_path / 'archive' / 'index.sqlite'}",
    }
    ani, budi = (Person(tmp_path / "home", where, name) for name in ("ani", "budi"))
    paper = ("--number", "12/Pen", "--authority", "PN Makassar", "--basis", "UU 27/2022")
    order = ani("break-glass", "order", "--camera", "cam-1", *SPAN, *paper, "--json").json["id"]
    alone = ani("break-glass", "approve", order, "--reason", "mine", "--json")
    assert (alone.code, alone.problem["code"]) == (2, "same_person")
    early = ani("break-glass", "execute", order, "--confirm", "12/Pen", "--json")
    assert (early.code, early.problem["code"]) == (2, "order_not_approved")
    assert budi("break-glass", "approve", order, "--reason", "read", "--json").code == 0
    wrong = ani("break-glass", "execute", order, "--confirm", "13/Pen", "--json")
    assert (wrong.code, wrong.problem["code"]) == (2, "order_not_confirmed")
    done = ani("break-glass", "execute", order, "--confirm", "12/Pen", "--json")
    assert (done.code, done.json["status"], done.json["segments"]) == (0, "executed", 2)
    record = ani("retention", "record", done.json["disposition"], "--verify", "--json")
    assert (record.code, record.json["valid"]) == (0, True)
    there = {segment.seq for segment in segments if (tmp_path / "archive/footage" / segment.key).exists()}
    assert there == {0, 3}
    assert [one["id"] for one in ani("break-glass", "show", "--json").json["orders"]] == [order]
