"""The golden packages of version 1: every later verifier must accept them."""

import json
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.evidence import paths
from archive.evidence.findings import Outcome, Step
from archive.evidence.parcel import ZipParcel, read_small
from archive.evidence.statement import decode
from archive.evidence.verify import load_trust, to_json, verify
from tests.vectors.evidence.make import NAMES, worlds

FOLDER = Path(__file__).parents[2] / "vectors/evidence"
EXPECTED = json.loads((FOLDER / "expected.json").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_package_is_accepted_for_ever(name: str) -> None:
    expected = EXPECTED[name]
    root = FOLDER / f"{name}.root.pem"
    trust = load_trust([root], [], expected["signer_sha256"], expected["log_sha256"])
    result = verify(FOLDER / f"{name}.zip", trust=trust, at="stamp", clock=SystemClock())
    found = to_json(result)
    assert {key: found[key] for key in expected if key in found and key != "findings"} == {
        key: value for key, value in expected.items() if key not in {"log_sha256", "findings"}
    }
    assert [finding.code for finding in result.findings] == expected["findings"] == []
    assert result.steps[Step.LOG] is Outcome.PASSED


@pytest.mark.parametrize("name", NAMES)
def test_what_a_golden_package_says_is_still_said_so(name: str, tmp_path: Path) -> None:
    """The frozen format: today's sealer writes the same members as then, with the same values."""
    with ZipParcel(FOLDER / f"{name}.zip") as parcel:
        then = decode(read_small(parcel, paths.STATEMENT)).model_dump(by_alias=True)
    world = worlds(tmp_path)[name]
    with ZipParcel(world.zip(tmp_path / "now.zip")) as parcel:
        now = decode(read_small(parcel, paths.STATEMENT)).model_dump(by_alias=True)
    for statement in (then, now):
        del statement["seal"]["signer_sha256"]  # the keys are new
        for checkpoint in statement["checkpoints"]:
            del checkpoint["sha256"], checkpoint["root"]  # over the recorder entry, which has a random id
        for part in statement["dispositions"] or ():
            del part["sha256"], part["log"]
        for part in statement["originals"]:
            del part["log"]["index"]
    assert now == then
