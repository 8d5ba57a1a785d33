"""``saksi retention apply`` and related commands on real installations: folders, MinIO, Elasticsearch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.model import leaf as leaves
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.model.segment import ClockStatement, Segment
from archive.ports import Content, IndexEntry, Lock, LockMode
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan
from ops import keys
from ops.disposition import Dispositions
from ops.settings import Settings
from ops.wiring import Site
from search.rebuilding import rebuild_index
from tests.support import servers
from tests.support.archives import camera_form
from tests.support.command_line import CommandLine
from tests.support.servers import ElasticServer, FreshBuckets
from tests.support.stores import wait_until

minio_server = servers.minio_server
elastic_server = servers.elastic_server
stack_environment = servers.stack_environment
fresh_buckets = servers.fresh_buckets
fresh_index_prefix = servers.fresh_index_prefix

DAYS = 40


def keep(site: Site, number: int, *, lasting: int = 10, locked: int = 0) -> Segment:
    """A segment of more than forty days ago, as a recorder would have stored it; not in the index yet."""
    content = b"footage" + str(number).encode()
    start = site.clock.now() // HOUR * HOUR - (DAYS + 2) * DAY + number * lasting * SECOND
    segment = Segment(
        camera="cam-1",
        recorder="rec-1",
        run="6a15000000000001",
        seq=number,
        span=Timespan(start, start + lasting * SECOND),
        media_duration=lasting * 90_000,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        header_bytes=3,
        codec="h264",
        gop="closed",
        frames=150,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
        camera_time=None,
        ingested_at=start + 11 * SECOND,
    )
    leaf = leaves.encode(segment).decode("ascii")
    lock = Lock(LockMode.GOVERNANCE, site.clock.now() + locked) if locked else None
    site.stores.footage.put(segment.key, Content.of_bytes(content), metadata={"leaf": leaf}, lock=lock)
    return segment


def furnish(site: Site, segments: int, locked: int = 0) -> list[Segment]:
    """Add a camera, old footage, and a policy under which the footage is due."""
    site.registry.add(camera_form(), actor="os:tester")
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda number: keep(site, number, locked=locked), range(segments)))
    site.index.add([IndexEntry(leaf=one, place=None) for one in kept])
    now = site.clock.now()
    terms = Terms(keep_days_min=30, keep_days_max=DAYS, basis="Perwali 4/2017", effective_from=now - 1)
    policy = Policy(scope=Scope.parse("default"), terms=(terms,))
    site.ledger.append(
        POLICY, "default", to_state(policy), expected=0, actor="os:kadis", action="policy.adopted"
    )
    return kept


@pytest.fixture
def folder(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def city(
    tmp_path: Path, fresh_buckets: FreshBuckets, elastic_server: ElasticServer, fresh_index_prefix: str
) -> Iterator[CommandLine]:
    """An installation on MinIO and Elasticsearch."""
    archive = fresh_buckets.archive_url
    settings = {
        "SAKSI_ARCHIVE_URL": archive,
        "SAKSI_INDEX_URL": elastic_server.url,
        "SAKSI_INDEX_PREFIX": fresh_index_prefix,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", fresh_buckets.server.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", fresh_buckets.server.secret_key)
        yield CommandLine(tmp_path / "home", settings)


def test_from_the_plan_to_the_signed_record(folder: CommandLine, tmp_path: Path) -> None:
    keys.init(folder.home / "keys", clock=SystemClock())
    with Site(Settings.load({"SAKSI_HOME": str(folder.home)})) as site:
        segments = furnish(site, 3)
    dry = folder.must("retention", "apply", "--dry-run", "--json").json
    assert [one["key"] for one in dry["list"]] == [segment.key for segment in segments]
    refused = folder("retention", "apply", "--plan", "0" * 64, "--json")
    assert (refused.code, refused.problem["code"]) == (2, "plan_changed")
    done = folder.must("retention", "apply", "--plan", dry["digest"], "--json").json["dispositions"]
    assert [(one["list_sha256"], one["outcome"]["destroyed"]) for one in done] == [(dry["digest"], 3)]
    assert folder.must("retention", "apply", "--json").json == {"dispositions": []}
    name, out = done[0]["id"], tmp_path / "berita-acara.pdf"
    folder.must("retention", "record", name, "--pdf", str(out))
    assert out.read_bytes().startswith(b"%PDF-1.")
    record = folder.must("retention", "record", name, "--json").json
    assert record["destroyed"]["segments"] == 3
    assert folder.must("retention", "record", name, "--verify", "--json").json["valid"]
    assert folder("retention", "record", "dsp-none", "--json").problem["code"] == "disposition_not_found"


def test_on_minio_batches_go_the_held_one_stays_and_a_rebuilt_index_says_the_same(city: CommandLine) -> None:
    keys.init(city.home / "keys", clock=SystemClock())
    with Site(Settings.load({"SAKSI_HOME": str(city.home), **city.settings})) as site:
        segments = furnish(site, 505, locked=2 * SECOND)
        footage, held = site.stores.footage, segments[17]
        version = footage.head(held.key).version
        footage.place_hold(held.key, version=version)
        wait_until(site.clock.now() + 2 * SECOND)
        assert Dispositions(site).run() == 1
        assert [one.key for one in footage.versions("segments/")] == [held.key]
        done = Dispositions(site).disposer.dispositions()[0]
        assert done.outcome is not None
        assert (done.outcome.destroyed, dict(done.outcome.kept)) == (504, {"under_hold": 1})
        assert Dispositions(site).verify(done).valid
        whole = Timespan(segments[0].span.start, segments[-1].span.end)
        assert [one.key for one in site.index.segments("cam-1", whole)] == [held.key]
        gaps = site.index.gaps("cam-1", whole)
        assert {gap.cause.value for gap in gaps} == {"disposed"}
        covered = SpanSet([held.span, *(gap.span for gap in gaps)])
        assert list(covered) == [whole]
        rebuild_index(site.stores, site.index)
        assert site.index.gaps("cam-1", whole) == gaps
        assert Dispositions(site).run() == 0
        footage.release_hold(held.key, version=version)


def test_an_orphan_is_adopted_and_pressure_is_told(folder: CommandLine) -> None:
    keys.init(folder.home / "keys", clock=SystemClock())
    with Site(Settings.load({"SAKSI_HOME": str(folder.home)})) as site:
        (lost,) = furnish(site, 1)
        site.stores.footage.delete_version(lost.key, version=site.stores.footage.head(lost.key).version)
    found = folder("archive", "orphans", "--json")
    assert found.code == 1
    assert [one["kind"] for one in found.json["orphans"]] == ["object_missing"]
    settings = {"SAKSI_ARCHIVE_QUOTA_GIB": "1"}
    told = CommandLine(folder.home, settings).must("archive", "pressure", "--plan", "--json").json
    assert (told["level"], told["quota_bytes"], told["used_bytes"]) == ("green", 1 << 30, lost.size)
    assert told["relief"]["hours"] == []
