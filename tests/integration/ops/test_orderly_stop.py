"""What a start and an orderly stop leave: the first token in a file of its owner's, and a checkpoint."""

import re
import stat
from pathlib import Path

from archive.clock import ManualClock
from archive.errors import ArchiveError
from archive.model.custody import Actor
from archive.records.checkpoint import stored
from archive.records.custody import CustodyWriter
from archive.timespan import MINUTE
from ops import keys
from ops.jobs import JobThreads, all_jobs
from ops.log import Log
from ops.settings import Settings
from ops.tokens import first_token, token_file
from ops.wiring import Site
from tests.support.api_server import api_server
from tests.support.waiting import until

T0 = 1_795_500_000_000_000


def test_the_first_token_is_in_a_file_of_its_owner_and_in_no_log(tmp_path: Path) -> None:
    with api_server(tmp_path) as server:
        place = tmp_path / "first-token"
        token = place.read_text("ascii").strip()
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        (log,) = tmp_path.glob("serve-*.log")
        assert token not in log.read_text()
        assert not re.search(r"[A-Za-z0-9_-]{32,}", log.read_text())
        assert str(place) in log.read_text()
        with server.client(headers={"Authorization": f"Bearer {token}"}) as client:
            assert client.get("/v1/cameras").status_code == 200


def test_a_link_that_waits_for_the_first_token_gets_nothing(tmp_path: Path) -> None:
    home, lure = tmp_path / "home", tmp_path / "lure"
    home.mkdir()
    lure.write_text("")
    with Site(Settings.load({"SAKSI_HOME": str(home)}), ManualClock(T0)) as site:
        keys.init(site.settings.keys_dir, clock=site.clock)
        (home / "first-token").symlink_to(lure)
        place = first_token(site)
        assert place is not None
        assert not place.is_symlink()
        assert lure.read_text() == ""
        assert token_file(site).principal_of(place.read_text().strip()) is not None
        assert first_token(site) is None  # there is a token already


def test_an_orderly_stop_puts_everything_under_a_checkpoint(tmp_path: Path) -> None:
    troubles: list[ArchiveError] = []
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)}), ManualClock(T0)) as site:
        keys.init(site.settings.keys_dir, clock=site.clock)
        log = Log(site)
        jobs = JobThreads(site, [all_jobs()["log"]], tell=lambda _, error: troubles.append(error))
        jobs.start()
        until(lambda: log.newest() >= 1, "the first checkpoint")
        before = log.newest()
        site.clock.step(5 * MINUTE)  # type: ignore[attr-defined]
        CustodyWriter(site.stores.records, site.clock, writer="w-1", lock_days=1).record(
            "clip.describe", actor=Actor(id="user:citra"), objects=("cam-1",)
        )
        jobs.stop()
        assert log.newest() == before + 1
        note = stored.read_note(site.stores.records, log.newest())
        names = [
            entry.key for entry in stored.read_leaves(site.stores.records, note) if hasattr(entry, "key")
        ]
        assert any(name.startswith("custody/") for name in names)
    assert troubles == []
