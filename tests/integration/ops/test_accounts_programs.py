"""Every program at work on a real MinIO, through the proxy, each with only its own account."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.clock import Clock, SystemClock
from archive.footage.download.export_parts import forget_parts
from archive.lifecycle.retention.job import SETTLE
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan, format_instant, parse_instant
from ops.doctor import examine
from ops.jobs import all_jobs
from ops.provision.accounts import JOBS
from ops.settings import Settings
from ops.stack import ports
from ops.wiring import Site
from tests.support.command_line import Answer, CommandLine
from tests.support.proxies import RECORDER, City, city_of
from tests.support.servers import FreshBuckets

RECORDER_ACCOUNT = f"recorder-{RECORDER}"


@dataclass(frozen=True)
class Town:
    """One host's home, used by programs that differ only in their account."""

    city: City
    home: Path
    port: int

    def saksi(self, account: str) -> CommandLine:
        """The command line with an account, through the proxy."""
        settings = {
            "SAKSI_RECORDER": RECORDER,
            "SAKSI_RETENTION_FLOOR_DAYS": "1",
            "SAKSI_RECORDS_LOCK_DAYS": "1",
            "SAKSI_EVIDENCE_LOCK_DAYS": "1",
            "SAKSI_JOURNAL_UPLOAD_SECONDS": "1",
            **self.city.environment(account),
        }
        return CommandLine(self.home, settings)

    def site(self, account: str, patch: pytest.MonkeyPatch, clock: Clock | None = None) -> Site:
        """The same in this process, which is quicker."""
        environment = self.saksi(account).environment()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, environment[name])
        return Site(Settings.load(environment), clock)

    def record(self, seconds: int) -> Answer:
        """Run the recorder with its account."""
        return self.saksi(RECORDER_ACCOUNT).must("record", "--for", f"{seconds}s")

    @property
    def recordings(self) -> dict[str, Any]:
        """The output of ``saksi recordings`` for the last hour, with the API's account."""
        now = SystemClock().now()
        edges = ("--from", format_instant(now - HOUR), "--to", format_instant(now))
        return self.saksi("api").must("recordings", *edges, "--json").json

    @property
    def edges(self) -> tuple[str, str]:
        """A span of two seconds within the first footage."""
        first = parse_instant(self.recordings["coverage"][0]["from"]) + SECOND
        return format_instant(first), format_instant(first + 2 * SECOND)


@pytest.fixture(scope="module")
def town(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A camera that was recorded for some seconds."""
    with city_of(fresh_buckets, tmp_path_factory.mktemp("keys")) as city:
        made = Town(city, tmp_path_factory.mktemp("home"), ports.free())
        made.saksi("api").must("keys", "init")
        added = made.saksi("api").add_camera(
            "cam-1", "test://?size=320x180&fps=10&gop=10", **{"segment-seconds": "2"}
        )
        assert added.code == 0, added.err
        told = made.record(7).err
        assert "store_access_denied" not in told, told
        yield made


def test_the_recorder_archives_and_signs_its_journal(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {one["camera"] for one in town.recordings["coverage"]} == {"cam-1"}
    records = town.city.root_stores(monkeypatch).records
    assert list(records.list("journal/"))
    assert list(records.list(f"ledger/recorder/{RECORDER}/"))


def test_a_recorder_that_lost_its_spool_finds_its_place_again(town: Town) -> None:
    shutil.rmtree(town.home / "spool")
    told = town.record(4).err
    assert "spool_was_lost" in told
    assert "store_access_denied" not in told


@pytest.fixture(scope="module")
def api(town: Town) -> Iterator[httpx.Client]:
    """The API in its own process, with its account."""
    line = town.saksi("api")
    token = line.must("token", "create", "tests", "--json").json
    process = subprocess.Popen(
        line.argv("serve", "--port", str(town.port)),
        env=line.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    secret = next(value for name, value in token.items() if name in {"token", "secret"})
    with httpx.Client(
        base_url=f"http://127.0.0.1:{town.port}",
        headers={"Authorization": f"Bearer {secret}"},
        trust_env=False,
        timeout=30,
        transport=httpx.HTTPTransport(retries=40),
    ) as client:
        try:
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def test_the_api_plays_and_asks_for_evidence_which_the_seal_account_seals(
    town: Town, api: httpx.Client
) -> None:
    ready = api.get("/readyz")
    assert ready.json()["status"] == "ok", ready.text
    start, end = town.edges
    asked = {"from": start, "to": end}
    clip = api.get("/v1/cameras/cam-1/clip.mp4", params=asked | {"purpose": "test"})
    assert clip.status_code == 200, clip.text
    filed = api.post(
        "/v1/evidence", json={"cameras": ["cam-1"], "from": start, "to": end, "case": "LP/1", "purpose": "t"}
    )
    assert filed.status_code in {201, 202}, filed.text
    evidence = filed.json()["id"] if "id" in filed.json() else filed.json()["evidence_id"]
    # Sealing waits for the log, whose key the seal account does not have.
    town.saksi("log").must("work", "--once", "log", "--json")
    done = town.saksi("seal").must("work", "--once", "seal", "--json").json
    assert done == {"job": "seal", "done": 1}
    assert api.get(f"/v1/evidence/{evidence}").json()["status"] == "sealed"
    packed = api.get(f"/v1/evidence/{evidence}/package.zip")
    assert packed.status_code == 200
    assert packed.content[:2] == b"PK"


def test_the_exports_account_makes_what_the_api_ordered_and_retention_removes_it(
    town: Town, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = town.edges
    ordered = api.post("/v1/exports", json={"cameras": ["cam-1"], "from": start, "to": end})
    assert ordered.status_code == 202, ordered.text
    done = town.saksi("exports").must("work", "--once", "exports", "--json").json
    assert done == {"job": "exports", "done": 1}
    where = f"{ordered.headers['Location']}/export.zip"
    assert api.get(where, params={"purpose": "test"}).status_code == 200
    with town.site("retention", monkeypatch) as site:
        forget_parts(site.stores.cache, {"cam-1": SpanSet((Timespan.parse(start, end),))})
    assert api.get(where).json()["code"] == "export_outdated"


def test_every_job_has_an_account() -> None:
    assert set(all_jobs()) <= set(JOBS)


class _Later(SystemClock):
    """A clock far enough ahead that a change of policy has settled."""

    def now(self) -> int:
        return super().now() + 2 * SETTLE


@pytest.fixture(scope="module")
def work(town: Town) -> None:
    """Make work: a hold over the first footage, and a policy that keeps longer."""
    line = town.saksi("api")
    start, end = town.edges
    line.must(
        "hold", "place", "--camera", "cam-1", "--from", start, "--to", end, "--case", "LP/1",
        "--owner", "Kominfo", "--basis", "KUHAP", "--review-at", "2099-01-01T00:00:00Z", "--no-wait",
    )  # fmt: skip
    line.must(
        "retention",
        "propose",
        "default",
        "--min",
        "3",
        "--max",
        "never",
        "--basis",
        "Perwali",
        "--reason",
        "t",
    )


@pytest.mark.parametrize("job", sorted(all_jobs()))
def test_every_job_does_its_work_with_its_account(
    town: Town, work: None, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with town.site(JOBS[job], monkeypatch, _Later()) as site:
        done = all_jobs()[job].begin(site)()
    assert done > 0 or job not in {"holds", "locks"}, "there was something to do"


def test_the_jobs_have_held_and_lengthened(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    footage = town.city.root_stores(monkeypatch).footage
    heads = [footage.head(one.key) for one in footage.list("segments/")]
    assert any(one.held for one in heads)
    assert not all(one.held for one in heads)
    for one in heads:
        assert one.lock is not None
        assert one.lock.until - one.stored_at > 2 * DAY


def test_the_archive_checks_out_and_its_locks_are_green(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with town.site("fixity", monkeypatch) as site:
        assert site.canary.fly().broken == []
    with town.site("api", monkeypatch) as site:
        found = list(examine(site))
    lights = {one.light.value for one in found if one.subject in {"locks", "archive"}}
    assert lights == {"green"}, found
    town.saksi("fixity").must("archive", "check", "--json")


def test_provisioning_by_the_command_line_prints_no_secret(town: Town, tmp_path: Path) -> None:
    server = town.city.buckets.server
    environment = server.environment(town.city.buckets.name) | {"SAKSI_KEYS_DIR": str(tmp_path)}
    root = CommandLine(tmp_path, environment)
    refused = root("store", "provision", "--json")
    assert (refused.code, refused.problem["code"]) == (2, "account_secret_elsewhere")
    folder = tmp_path / "store-accounts"
    folder.mkdir(exist_ok=True)
    for name, account in town.city.accounts.items():
        (folder / f"{name}.env").write_text(
            f"AWS_ACCESS_KEY_ID={account.access_key}\nAWS_SECRET_ACCESS_KEY={account.secret_key}\n"
        )
    made = root.must("store", "provision", "--recorder", RECORDER, "--json")
    assert {one["name"]: one["fresh"] for one in made.json["accounts"]} == dict.fromkeys(
        town.city.accounts, False
    )
    for account in town.city.accounts.values():
        assert account.secret_key not in made.out + made.err
