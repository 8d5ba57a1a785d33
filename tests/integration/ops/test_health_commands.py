"""``saksi health``, ``camera list`` and ``camera compliance`` as a person runs them."""

import csv
import io
from pathlib import Path

from archive.canonical import JsonObject
from ops.settings import Settings
from ops.wiring import Site
from tests.support.archives import camera_form
from tests.support.command_line import CommandLine


def beat(site: Site, **changes: object) -> None:
    now = site.clock.now()
    entry: JsonObject = {
        "capturing": 1, "kept": 1, "began": now, "grown": now, "attempts": 1, "failures": 0, "cause": "",
        "until": now, "archived": now, "mfps": 15_000, "kbps": 2_000,
    }  # fmt: skip
    state = {"cameras": {"kam-1": entry | changes}, "waiting": 0, "version": "1.0", "spool_bytes": 7}
    site.index.put_heartbeat("rec-1", now, state)


def test_commands_say_what_works_and_never_that_a_lost_camera_is_active(tmp_path: Path) -> None:
    line = CommandLine(tmp_path, {"COLUMNS": "200"})
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)})) as site:
        site.registry.add(camera_form("kam-1"), actor="os:tester")
        none = line("health", "recorders")
        assert (none.code, "saksi record" in none.err) == (1, True)
        beat(site)
        well = line("health", "cameras")
        assert well.code == 0, well.err
        assert "recording" in well.out
        assert "15.0" in well.out
        recorders = line("health", "recorders", "--json")
        assert recorders.code == 0, recorders.err
        assert recorders.json["recorders"][0]["spool_bytes"] == 7
        lost = {"capturing": 0, "kept": 0, "failures": 3, "cause": "unreachable"}
        beat(site, **lost)
        listed = line("camera", "list")
        assert listed.code == 0
        assert "active" not in listed.out
        assert "silent (unreachable)" in listed.out
        assert "state" not in line("camera", "list", "--json").json["cameras"][0], "it is the record alone"
        beat(site, **lost)
        missed = line("health", "cameras", "--state", "silent", "--json")
        assert missed.code == 1
        assert [one["cause"] for one in missed.json["cameras"]] == ["unreachable"]
        assert missed.json["counts"]["silent"] == 1
        (row,) = csv.DictReader(io.StringIO(line("camera", "compliance", "--csv").out))
        assert (row["camera"], row["verdict"]) == ("kam-1", "no_footage")
