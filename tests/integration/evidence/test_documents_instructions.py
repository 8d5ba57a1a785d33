"""Steps 7 to 9 and the last of ``VERIFIKASI.txt``, taken from the package and run exactly as written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.evidence import paths
from archive.evidence.entries_by_hand import NUMBER
from archive.trust import certificates
from tests.support.insider import insider_site
from tests.support.packages import World, make_world
from tests.support.programs import required

LOG, INCLUDED, PYZ = 7, 8, 9


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    for program in ("openssl", "sha256sum", "jq", "xxd"):
        required(program)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("steps"), cameras=("cam-1", "CAM-1"), now=SystemClock().now())
    case = world.folder / "case"
    world.unpacked(case)
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(world.keys / "root.pem", case / name)
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    shutil.copytree(origin.folder / "case", tmp_path / "case", copy_function=shutil.copyfile)
    return tmp_path / "case" / origin.plan.evidence_id


def script(package: Path, step: int) -> str:
    """The indented lines under a numbered step, first language."""
    text = (package / paths.INSTRUCTIONS).read_text().partition("=" * 40)[0]
    (body,) = re.findall(rf"^{step}\. .*?(?=^\d+\. |\Z)", text, re.MULTILINE | re.DOTALL)
    return "\n".join(line[4:] for line in body.splitlines() if line.startswith("    "))


def run(package: Path, commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", commands],
        cwd=package,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def number_of_checkpoints(package: Path) -> int:
    return len(list((package / "data/proofs/checkpoints").iterdir()))


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_the_log_step_shows_signature_stamp_and_signer_of_every_checkpoint(
    origin: World, package: Path
) -> None:
    done = run(package, script(package, LOG))
    count = number_of_checkpoints(package)
    assert count > 0
    assert done.stderr.count("CAdES Verification successful") == count
    assert (done.stdout + done.stderr).count("Verification: OK") == count
    assert "GAGAL" not in done.stdout
    (signer,) = certificates.load_pem_files([origin.keys / "log.pem"])
    assert done.stdout.replace(":", "").lower().count(certificates.fingerprint(signer)) == count


@pytest.mark.parametrize("part", ["checkpoint", "checkpoint.p7s", "checkpoint.tsr"])
def test_the_log_step_fails_for_a_changed_part(package: Path, part: str) -> None:
    for folder in (package / "data/proofs/checkpoints").iterdir():
        flip(folder / part)
    assert "GAGAL" in run(package, script(package, LOG)).stdout


def test_every_original_is_included(package: Path) -> None:
    originals = json.loads((package / paths.STATEMENT).read_bytes())["originals"]
    for number in range(len(originals)):
        commands = script(package, INCLUDED).replace("N=0", f"N={number}", 1)
        assert run(package, commands).stdout == "INCLUDED\n", number


def test_a_changed_segment_leaf_or_proof_is_not_included(package: Path) -> None:
    first = json.loads((package / paths.STATEMENT).read_bytes())["originals"][0]
    proof_file = package / first["log"]["proof"]
    proof = json.loads(proof_file.read_bytes().splitlines()[first["log"]["proof_line"] - 1])
    assert proof["proof"], "a proof without steps cannot be tampered with"
    step = proof_file.read_bytes().index(proof["proof"][0].encode())
    for path, at in (
        (package / first["path"], -1),
        (package / first["leaf"], 20),
        (proof_file, step),
    ):
        before = path.read_bytes()
        flip(path, at)
        assert run(package, script(package, INCLUDED)).stdout == "", path
        path.write_bytes(before)
    assert run(package, script(package, INCLUDED)).stdout == "INCLUDED\n"


def test_a_hostile_statement_cannot_make_the_inclusion_step_run_programs(package: Path) -> None:
    """A package may come from anyone; its content is never run."""
    statement = json.loads((package / paths.STATEMENT).read_bytes())
    mark = package.parent / "ran"
    (package / "1p").write_text("what sed would read where the name of a part is taken for an option\n")
    for first, value in (
        ("leaf_line", f"1e touch {mark}\n1"),
        ("leaf", f"--expression=1e touch {mark}"),
        ("path", f"$(touch {mark})"),
    ):
        changed = {**statement, "originals": [{**statement["originals"][0], first: value}]}
        (package / paths.STATEMENT).write_text(json.dumps(changed))
        assert run(package, script(package, INCLUDED)).stdout in ("", "INCLUDED\n")
        assert not mark.exists(), first
    log = statement["originals"][0]["log"]
    for member in ("proof_line", "checkpoint"):
        hostile = {**log, member: f"x[$(touch {mark})]1"}
        changed = {**statement, "originals": [{**statement["originals"][0], "log": hostile}]}
        (package / paths.STATEMENT).write_text(json.dumps(changed))
        run(package, script(package, INCLUDED))
        assert not mark.exists(), member
    (package / paths.STATEMENT).write_text(json.dumps(statement))
    proofs = package / log["proof"]
    proof = json.loads(proofs.read_bytes().splitlines()[log["proof_line"] - 1])
    lines = [json.dumps({**proof, "leaf_index": f"x[$(touch {mark})]"})] * log["proof_line"]
    proofs.write_text("\n".join(lines) + "\n")
    run(package, script(package, INCLUDED))
    assert not mark.exists()


def test_the_program_step_names_options_that_the_program_has(package: Path) -> None:
    """The program itself parses the command line; its modules need only Python."""
    (line,) = script(package, PYZ).splitlines()
    command = line.split()
    assert command[:2] == ["python3", "../saksi-verify.pyz"]
    entry = "import sys; from archive.evidence.verifier.command import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", entry, *command[2:]],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def requested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that answers a request; it is not changed."""
    return insider_site(tmp_path_factory.mktemp("requested")).package


def test_the_step_on_the_ledgers_entries_shows_request_and_approval(requested: Path) -> None:
    done = run(requested, script(requested, NUMBER))
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.splitlines()
    assert 'state.requester.name: "Andi Contoh"' in shown
    assert 'state.decision.name: "Budi Contoh"' in shown
    assert 'action: "request.approved"' in shown
    assert not [line for line in shown if not line.startswith(("action: ", "actor: ", "state."))]


@pytest.mark.parametrize("name", ["0002_request.json", "0002_request.opened.json"])
def test_the_step_on_the_ledgers_entries_finds_a_change(requested: Path, tmp_path: Path, name: str) -> None:
    package = tmp_path / "package"
    shutil.copytree(requested, package, copy_function=shutil.copyfile)
    path = package / "data/metadata/ledger" / name
    marks = {"0002_request.json": b'"state.decision.name":"', "0002_request.opened.json": b'"Budi'}
    flip(path, path.read_bytes().index(marks[name]) + len(marks[name]))
    done = run(package, script(package, NUMBER))
    assert ("GAGAL state.decision.name" in done.stdout) or "FAILED" in done.stdout


def test_a_hostile_entry_cannot_make_the_step_run_programs(requested: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(requested, package, copy_function=shutil.copyfile)
    statement = json.loads((package / paths.STATEMENT).read_bytes())
    mark = tmp_path / "ran"
    for value in (f"$(touch {mark})", f"`touch {mark}`", f"-f {mark}", f"x; touch {mark}"):
        statement["records"][0] |= {"path": value, "opened": value}
        (package / paths.STATEMENT).write_text(json.dumps(statement))
        run(package, script(package, NUMBER))
        assert not mark.exists(), value
