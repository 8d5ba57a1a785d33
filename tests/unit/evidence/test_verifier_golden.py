"""The golden packages of version 1: every later verifier must accept them."""

import json
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.clock import SystemClock
from archive.evidence import paths
from archive.evidence.verification import verify
from archive.evidence.verifier.container import ZipContainer
from archive.trust.judge import load_trust
from tests.vectors.evidence.make import NAMES, worlds

FOLDER = Path(__file__).parents[2] / "vectors/evidence"
EXPECTED = json.loads((FOLDER / "expected.json").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_package_is_accepted_for_ever(name: str) -> None:
    expected = EXPECTED[name]
    root = FOLDER / f"{name}.root.pem"
    trust = load_trust([root], [], expected["signer_sha256"], expected["log_sha256"])
    result = verify(FOLDER / f"{name}.zip", trust=trust, at="stamp", clock=SystemClock())
    found = result.to_json()
    assert {key: found[key] for key in expected if key in found and key != "findings"} == {
        key: value for key, value in expected.items() if key not in {"log_sha256", "findings"}
    }
    assert [finding.code for finding in result.findings] == expected["findings"] == []
    assert result.steps["log"] == "passed"


def stated(package: Path) -> dict[str, Any]:
    """What ``evidence.json`` says."""
    container = ZipContainer(str(package))
    try:
        return canonical.decode(container.small(paths.STATEMENT))
    finally:
        container.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_golden_package_says_is_still_said_so(name: str, tmp_path: Path) -> None:
    """The frozen format: today's sealer writes the members that were written then, with the same values."""
    then = stated(FOLDER / f"{name}.zip")
    world = worlds(tmp_path)[name]
    now = stated(world.zip(tmp_path / "now.zip"))
    assert now.pop("clip_layout", 1) == 1, "it has been stated since layouts have numbers"
    for statement in (then, now):
        del statement["seal"]["signer_sha256"]  # the keys are new
        del statement["limits"]  # whose published lists only grow: test_verifier_moments.py
        for checkpoint in statement["checkpoints"]:
            del checkpoint["sha256"], checkpoint["root"]  # over the recorder entry, which has a random id
        for part in statement.get("dispositions", ()):
            del part["sha256"], part["log"]
        for part in statement["originals"]:
            del part["log"]["index"]
    assert now == then
