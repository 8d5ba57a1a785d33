"""Hosts that die, stand still, are cut off, drained and updated: what a viewer misses, by frame numbers."""

import os
from pathlib import Path

import pytest

from archive.integrity.check import Checker
from tests.support.host_bed import host_bed
from tests.support.host_scenarios import SCENARIOS, Run, breaches
from tests.support.links import can_make_networks
from tests.support.servers import ElasticServer, FreshBuckets


@pytest.mark.slow
@pytest.mark.skipif(not can_make_networks(), reason="network namespaces need root")
def test_six_hosts(
    tmp_path: Path, fresh_buckets: FreshBuckets, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    chosen = os.environ.get("SAKSI_HOSTS_SCENARIOS", ",".join(SCENARIOS)).split(",")
    with host_bed(
        tmp_path, fresh_buckets, elastic_server.url, fresh_index_prefix, hosts=6, cameras=24
    ) as bed:
        run = Run(bed)
        for name in chosen:
            SCENARIOS[name](run)
        report = Checker(bed.site.stores, bed.site.index, bed.site.clock).run()
        print(report.breaches)
        assert list(breaches(run)) == []
        assert report.breaches == []
