"""The golden packages: every later verifier accepts those of version 2 and refuses those of version 1."""

import json
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.clock import SystemClock
from archive.evidence import paths
from archive.evidence.verification import verify
from archive.evidence.verifier.container import ZipContainer
from archive.evidence.verifier.findings import UNLOGGED
from archive.trust.judge import load_trust
from tests.vectors.evidence_2.make import NAMES, worlds
from tests.vectors.evidence_2_slices.make import NAME as SLICE

FOLDER = Path(__file__).parents[2] / "vectors/evidence_2"
FIRST = FOLDER.with_name("evidence")
SLICED = FOLDER.with_name("evidence_2_slices")


@pytest.mark.parametrize(
    "package", [*(FOLDER / name for name in NAMES), SLICED / SLICE], ids=lambda one: one.name
)
def test_a_golden_package_is_accepted_for_ever(package: Path) -> None:
    expected = json.loads((package.parent / "expected.json").read_bytes())[package.name]
    root = package.with_suffix(".root.pem")
    trust = load_trust([root], [], expected["signer_sha256"], expected["log_sha256"])
    result = verify(package.with_suffix(".zip"), trust=trust, at="stamp", clock=SystemClock())
    found = result.to_json()
    assert {key: found[key] for key in expected if key in found and key != "findings"} == {
        key: value for key, value in expected.items() if key not in {"log_sha256", "findings"}
    }
    assert [finding.code for finding in result.findings] == expected["findings"] == []
    assert result.steps["log"] == "passed"


@pytest.mark.parametrize("name", NAMES)
def test_a_package_of_version_1_is_refused_on_purpose(name: str) -> None:
    """It could leave out what version 2 must prove, and no house handed one out."""
    pinned = json.loads((FIRST / "expected.json").read_bytes())[name]
    trust = load_trust([FIRST / f"{name}.root.pem"], [], pinned["signer_sha256"], pinned["log_sha256"])
    for allowed in (frozenset[str](), UNLOGGED):
        result = verify(FIRST / f"{name}.zip", trust=trust, at="stamp", clock=SystemClock(), allowed=allowed)
        assert [finding.code for finding in result.findings] == ["old_version"]
        assert not result.valid


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
    for clip in now["derivatives"]:
        assert clip["about"].pop("others") == [], "it has been stated since recorders may be several"
    for statement in (then, now):
        del statement["seal"]["signer_sha256"]  # the keys are new
        del statement["limits"]  # whose published lists only grow: test_verifier_moments.py
        for checkpoint in statement["checkpoints"]:
            del checkpoint["sha256"], checkpoint["root"]  # over the recorder entry, which has a random id
            del checkpoint["size"]  # an entry has had two lines since its fields can be shown one by one
        for part in statement.get("dispositions", ()):
            del part["sha256"], part["log"]
            part.pop("opened", None)
        for part in (*statement["originals"], *statement["journals"]):
            del part["log"]["index"], part["log"]["size"]
    assert now == then
