"""``kill -9`` of the sealer at random moments: exactly one sealed package results, and no partial one is
visible.

``SAKSI_SEAL_KILLS`` sets the number of kills; the long form is ``make soak-seal``.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from archive import keys as archive_keys
from archive.errors import Conflict, NotFound
from archive.evidence import jobs
from archive.evidence.jobs import LEASE
from archive.evidence.sealed import StoredContainer, read_package
from archive.evidence.verification import verify_container
from archive.evidence.zipped import plan_zip
from archive.model.evidence import EvidenceStatus
from archive.timespan import HOUR
from archive.trust.judge import load_trust
from tests.support.archives import SmallArchive, small_archive
from tests.support.leaves import T0
from tests.support.sealing_process import lay_down

KILLS = int(os.environ.get("SAKSI_SEAL_KILLS", "2"))
REPOSITORY = Path(__file__).parents[3]


def begin(folder: Path, now: int) -> "subprocess.Popen[bytes]":
    """A worker that is about to claim."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.sealing_process", str(folder), str(now)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def check(folder: Path, archive: SmallArchive, evidence_id: str) -> bool:
    """Whether it is sealed; a sealed package must be complete, and an unsealed one invisible."""
    records = archive.stores.records
    trust = load_trust([folder / "keys/root.pem"], [], None)
    try:
        read_package(records, evidence_id)
    except NotFound:
        with pytest.raises(NotFound):
            StoredContainer(records, evidence_id)
        with pytest.raises(NotFound):
            plan_zip(records, evidence_id)
        with pytest.raises(NotFound):
            jobs.sealed_package(archive.ledger, evidence_id)
        return False
    result = verify_container(
        StoredContainer(records, evidence_id), trust=trust, at="now", clock=archive.clock
    )
    broken = {finding.code for finding in result.findings} - {"signer_not_pinned", "log_signer_not_pinned"}
    assert broken <= {"stamp_missing"}, result.findings
    return not broken


def test_killed_anywhere_exactly_one_package_results(tmp_path: Path) -> None:
    random = Random(os.environ.get("SAKSI_SEED", "kills"))  # noqa: S311 - chooses moments
    measured = tmp_path / "measured"
    lay_down(measured)
    process = begin(measured, T0 + 2 * HOUR)
    began = time.monotonic()
    assert process.wait(120) == 0
    whole = time.monotonic() - began
    killed = 0
    number = 0
    while killed < KILLS:
        number += 1
        folder = tmp_path / str(number)
        evidence_id = lay_down(folder)
        archive = small_archive(folder / "archive")
        now = T0 + 2 * HOUR
        for _ in range(min(3, KILLS - killed)):  # the same package dies up to three times
            process = begin(folder, now)
            time.sleep(random.uniform(0, whole))  # real time: dies at any moment
            process.kill()
            killed += process.wait(60) == -9
            archive.clock.advance(now - archive.clock.now())
            check(folder, archive, evidence_id)
            now += LEASE + 1
        assert begin(folder, now).wait(120) == 0
        archive.clock.advance(now - archive.clock.now())
        assert check(folder, archive, evidence_id)
        (only,) = archive.ledger.heads(jobs.KIND)
        assert only.state["status"] == EvidenceStatus.SEALED
        prefix = archive_keys.evidence_prefix(evidence_id)
        versions = list(archive.stores.records.versions(prefix))
        assert len({one.key for one in versions}) == len(versions), "a part was stored twice"
        sealed = [entry.action for entry in archive.ledger.history(jobs.KIND, evidence_id)]
        assert sealed.count("evidence.sealed") == 1
        with pytest.raises(Conflict):
            archive.ledger.append(
                jobs.KIND, evidence_id, {}, expected=1, actor="os:late", action="evidence.sealed"
            )
