"""Hosts that die, stand still, are cut off, drained and updated: what a viewer misses, by frame numbers."""

import os
import sys
from pathlib import Path

import pytest

from archive.integrity.check import Checker
from archive.timespan import SpanSet
from tests.support.host_bed import Bed, host_bed, numbered_film
from tests.support.host_report import page, table
from tests.support.host_scenarios import LAST, SCENARIOS, Run, breaches
from tests.support.links import can_make_networks
from tests.support.servers import ElasticServer, FreshBuckets
from tests.support.sound import reading_of


@pytest.mark.slow
@pytest.mark.skipif(not can_make_networks(), reason="network namespaces need root")
def test_six_hosts(
    tmp_path: Path, fresh_buckets: FreshBuckets, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    chosen = os.environ.get("SAKSI_HOSTS_SCENARIOS", ",".join(SCENARIOS)).split(",")
    with host_bed(
        tmp_path, fresh_buckets, elastic_server.url, fresh_index_prefix, hosts=6, cameras=24
    ) as bed:
        run = Run(bed, told)
        for _ in range(int(os.environ.get("SAKSI_HOSTS_REPEATS", "1"))):
            for name in chosen:
                if name != LAST:
                    SCENARIOS[name](run)
        if LAST in chosen:
            SCENARIOS[LAST](run)
        run.say(table(run.windows))
        assert_explained(bed)
        report = Checker(bed.site.stores, bed.site.index, bed.site.clock).run()
        found = [*breaches(run), *map(str, report.breaches)]
        if "SAKSI_HOSTS_REPORT" in os.environ:
            Path(os.environ["SAKSI_HOSTS_REPORT"]).write_text(page(run.windows, found), "utf-8")
        assert found == []


def told(line: str) -> None:
    """Show how far it is, to who runs it with ``-s``."""
    sys.stdout.write(f"{line}\n")


def assert_explained(bed: Bed) -> None:
    """Invariant I6 since the registration of each camera."""
    for camera in bed.cameras:
        known = reading_of(bed.site, camera)
        assert [gap for gap in known.gaps if gap.cause == "unknown"] == [], camera
        whole = known.coverage | SpanSet(gap.span for gap in known.gaps) | known.pending
        assert not whole.gaps_within(known.span), camera


@pytest.fixture
def encoded(tmp_path: Path) -> None:
    """What the cameras show is encoded beside other tests."""
    numbered_film(tmp_path)


@pytest.mark.usefixtures("encoded")
@pytest.mark.alone
def test_three_hosts(
    tmp_path: Path, fresh_buckets: FreshBuckets, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    """One stands still and goes on, one is cut off from etcd, and etcd loses its quorum."""
    with host_bed(
        tmp_path,
        fresh_buckets,
        elastic_server.url,
        fresh_index_prefix,
        hosts=3,
        cameras=6,
        program=("tests.support.recording_site",),
        segment_s=2,
    ) as bed:
        run = Run(bed, told, pause_s=6)
        for name in ("stopped", "etcd", "quorum"):
            SCENARIOS[name](run)
        assert_explained(bed)
        # How soon a busy machine acts is no subject here: the long form has the bounds.
        late = [line for line in breaches(run) if "stood still" not in line]
        assert late == []
        assert Checker(bed.site.stores, bed.site.index, bed.site.clock).run().breaches == []
