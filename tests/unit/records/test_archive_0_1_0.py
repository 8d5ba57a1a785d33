"""Every version reads the archive that 0.1.0 wrote: an index built from it alone gives the same answers."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import answers_of, instant_of, unpack

FOLDER = Path(__file__).parents[2] / "vectors/archive_0_1_0"
ARCHIVE = FOLDER / "archive.tar.xz"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_bytes())
LARGEST = 1_500_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All answers of this version about the archive."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out")
    return answers_of(ARCHIVE, home, out, EXPECTED["now"])


@pytest.mark.parametrize("question", sorted(EXPECTED["answers"]))
def test_it_answers_what_0_1_0_answered(told: dict[str, Any], question: str) -> None:
    """A later version may add facts about a thing. Every answer of 0.1.0 stays true, word for word.

    What a verifier says about a package is an exception, see below. Another one is a disabled camera: 0.1.0
    called the time after its recorder's last line pending, as if footage could still come. The third is the
    word for a camera's sound, which 0.1.0 could not record: ``none`` in the place of ``false``.
    """
    expected = EXPECTED["answers"][question]
    if question == "cameras":
        assert all(one["audio"] is False for one in expected.values())
        expected = {name: one | {"audio": "none"} for name, one in expected.items()}
    if question == "recordings":
        expected = _disabled_up_to_now(expected)
    if question == "rebuild":
        # The index has one document more for each of the three cameras: where it stood.
        expected = expected | {"documents": expected["documents"] + 3}
    if question == "packages":
        expected = {name: one | {"verdict": _of_bytes(one["verdict"])} for name, one in expected.items()}
    assert _as_far_as(expected, told[question]) == expected


def _disabled_up_to_now(recordings: dict[str, Any]) -> dict[str, Any]:
    ends = {
        (one["camera"], one["from"]): one["to"]
        for one in recordings["pending"]
        if any(
            (gap["camera"], gap["cause"], gap["to"]) == (one["camera"], "disabled", one["from"])
            for gap in recordings["gaps"]
        )
    }
    assert [camera for camera, _ in ends] == ["cam-toko"]
    gaps = [
        gap | {"to": ends.get((gap["camera"], gap["to"]), gap["to"])} if gap["cause"] == "disabled" else gap
        for gap in recordings["gaps"]
    ]
    pending = [one for one in recordings["pending"] if (one["camera"], one["from"]) not in ends]
    return recordings | {"gaps": gaps, "pending": pending}


OF_BYTES = frozenset(
    {
        "bytes",
        "tagmanifest_sha256",
        "signer_sha256",
        "signer_subject",
        "gen_time",
        "tsa_subject",
        "checked_at",
    }
)


def _of_bytes(verdict: Any) -> Any:
    """What a verdict says about bytes, signer and time."""
    return {name: value for name, value in verdict.items() if name in OF_BYTES}


def test_the_packages_of_0_1_0_are_whole_and_refused_for_their_form(told: dict[str, Any]) -> None:
    """Version 1 never left a house: it could leave out proofs. Bytes, seal and stamp are those of then."""
    for package in told["packages"].values():
        verdict = package["verdict"]
        assert [one["code"] for one in verdict["findings"]] == ["old_version"]
        steps = {step for step, outcome in verdict["steps"].items() if outcome == "passed"}
        assert steps == {"structure", "payload", "completeness", "seal", "signer", "stamp"}


WORK = frozenset({"bytes_hashed"})
"""Counts of what a command did to find its answer: another way there is no other answer."""


def _as_far_as(expected: Any, answer: Any) -> Any:
    """The answer without the fields that came later, and with the work that 0.1.0 needed for it."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        return {
            name: expected[name] if name in WORK else _as_far_as(expected[name], value)
            for name, value in answer.items()
            if name in expected
        }
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        return [_as_far_as(*both) for both in zip(expected, answer, strict=True)]
    return answer


def test_nothing_else_is_asked_than_what_0_1_0_answered(told: dict[str, Any]) -> None:
    assert sorted(told) == sorted(EXPECTED["answers"])


def test_all_that_it_holds_verifies() -> None:
    """The expected answers themselves verify; otherwise the fixture would prove nothing."""
    said = EXPECTED["answers"]
    assert said["log_verify"]["valid"]
    assert not said["log_verify"]["findings"]
    assert said["archive_check_deep"]["valid"]
    assert said["archive_check_deep"]["bytes_hashed"] > 1_000_000
    assert said["rebuild"]["left_out"] == []
    assert len(said["packages"]) == 5
    for package in said["packages"].values():
        assert package["verdict"]["valid"]
        assert package["verdict"]["findings"] == []
    assert all(one["verdict"]["valid"] for one in said["dispositions"].values())
    assert {one["status"] for one in said["requests"].values()} == {
        "submitted", "approved", "rejected", "cancelled", "sealed", "seal_failed", "handed_over", "closed",
    }  # fmt: skip
    assert {one["status"] for one in said["holds"].values()} == {"active", "release_proposed", "released"}
    assert len({gap["cause"] for gap in said["recordings"]["gaps"]}) == 14  # twelve stored, two computed


def test_it_holds_no_private_key_and_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*")) < LARGEST
    with tarfile.open(ARCHIVE) as tar:
        for member in tar:
            kept = tar.extractfile(member)
            assert kept is not None, member.name
            assert b"PRIVATE KEY" not in kept.read(), member.name
            assert not member.name.endswith((".key", "tokens.json", "passwords.json")), member.name


def test_a_byte_that_changed_is_found(tmp_path: Path) -> None:
    """The log is really read: with one changed word of one hold it does not verify."""
    unpack(ARCHIVE, tmp_path)
    entry = next((tmp_path / "archive/records/ledger/hold").rglob("00000001.json"))
    before = entry.read_bytes()
    after = before.replace(b'"status":"active"', b'"status":"closed"')
    assert after != before
    entry.write_bytes(after)
    saksi = CommandsAt(tmp_path, lambda: instant_of(EXPECTED["now"]))
    root = str(tmp_path / "keys" / "root.pem")
    assert saksi("log", "verify", "--all", "--trust", root, "--json").code != 0
