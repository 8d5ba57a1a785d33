"""Inclusion proofs, and that common tools reach the same verdict."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import Malformed, NotFound
from archive.model import leaf as leaves
from archive.records import merkle
from archive.records.checkpoint.leaves import lines_of
from archive.records.checkpoint.note import Note
from archive.records.checkpoint.prove import (
    InclusionProof,
    check_inclusion,
    prove,
    prove_lines,
    stated_line,
)
from tests.support.checkpoints import LogSite, log_site
from tests.support.programs import required

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "log.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> LogSite:
    found = log_site(tmp_path_factory.mktemp("prove") / "site")
    found.hours(3)
    return found


def commands(name: str) -> str:
    """A block of shell commands from the reference page itself."""
    (block,) = re.findall(rf"```sh\n(# {name}:.*?)```", REFERENCE.read_text("utf-8"), re.DOTALL)
    return str(block)


def by_shell(folder: Path) -> bool:
    for program in ("jq", "xxd", "sha256sum"):
        required(program)
    done = subprocess.run(
        ["bash", "-c", commands("inclusion")], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout == "INCLUDED\n"


def by_us(folder: Path) -> bool:
    try:
        check_inclusion(
            (folder / "leaf.json").read_bytes(),
            json.loads((folder / "inclusion.json").read_text()),
            (folder / "checkpoint").read_bytes(),
        )
    except Malformed:
        return False
    return True


def written(proof: InclusionProof, folder: Path) -> Path:
    folder.mkdir()
    for name, content in proof.parts().items():
        (folder / name).write_bytes(content)
    return folder


def test_a_segments_line_is_proven_by_its_key(site: LogSite, tmp_path: Path) -> None:
    for segment in site.segments:
        proof = prove(site.stores, segment.key)
        assert proof.leaf == leaves.encode(segment)
        assert lines_of(site.stores.records.get(proof.key))[proof.line - 1] == proof.leaf
        note = check_inclusion(proof.leaf, proof.inclusion_json(), proof.checkpoint)
        assert proof.checkpoint == site.stores.records.get(site.part(note.number))
    folder = written(proof, tmp_path / "proof")
    assert by_us(folder)
    assert by_shell(folder)


def test_ledger_entries_custody_events_and_any_line_are_proven(site: LogSite) -> None:
    records = site.stores.records
    entry = next(iter(records.list("ledger/camera/"))).key
    first, second = lines_of(records.get(entry))
    assert prove(site.stores, entry) == prove(site.stores, f"{entry}#1")
    assert prove(site.stores, entry).leaf == first
    assert prove(site.stores, f"{entry}#2").leaf == second
    custody = next(iter(records.list("custody/"))).key
    event = json.loads(lines_of(records.get(custody))[1])
    by_id = prove(site.stores, event["id"])
    assert by_id == prove(site.stores, f"{custody}#2")
    journal = next(iter(records.list("journal/"))).key
    for number, line in enumerate(lines_of(records.get(journal)), 1):
        assert prove(site.stores, f"{journal}#{number}").leaf == line


def test_many_lines_are_proven_at_once_in_their_order(site: LogSite) -> None:
    lines = [stated_line(leaves.encode(segment)) for segment in reversed(site.segments)]
    proofs = prove_lines(site.stores.records, [*lines, lines[0]])
    assert [proof.leaf for proof in proofs] == [line.leaf for line in [*lines, lines[0]]]
    assert {proof.note.number for proof in proofs} == {1, 2, 3}
    for proof in proofs:
        check_inclusion(proof.leaf, proof.inclusion_json(), proof.checkpoint)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("segments/cam-1/nonsense.mp4", "bad_key"),
        ("evidence/x", "bad_key"),
        ("journal/2026/11/24/06/rec-1_0000000001.jsonl", "bad_key"),
        ("journal/2026/11/24/06/rec-1_0000000001.jsonl#99", "bad_key"),
        ("journal/2026/11/24/06/rec-1_0000000001.jsonl#-1", "bad_key"),
        ("journal/2026/11/24/06/rec-9_0000000001.jsonl#1", "not_found"),
        ("0" * 32, "custody_event_not_found"),
    ],
)
def test_what_is_not_there_is_not_proven(site: LogSite, name: str, code: str) -> None:
    with pytest.raises((Malformed, NotFound)) as caught:
        prove(site.stores, name)
    assert caught.value.code == code


def test_what_no_checkpoint_has_yet_is_said_so(site: LogSite) -> None:
    with pytest.raises(NotFound) as caught:
        prove_lines(site.stores.records, [stated_line(b'{"at":"2026-11-24T06:00:00Z"}')])
    assert caught.value.code == "not_covered"


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return harm


def edit_json(**changes: object) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        value = json.loads((folder / "inclusion.json").read_text())
        for field, change in changes.items():
            value[field] = change(value[field]) if callable(change) else change
        (folder / "inclusion.json").write_text(json.dumps(value))

    return harm


HARMS = {
    "leaf altered": edit("leaf.json", lambda data: data.replace(b"cam-1", b"cam-2")),
    "leaf with a line feed": edit("leaf.json", lambda data: data + b"\n"),
    "root altered": edit("checkpoint", lambda data: data.replace(data.split(b"\n")[2][:4], b"AAAA")),
    "size altered": edit("checkpoint", lambda data: data.replace(b"\n", b"\n1", 1)),
    "another place": edit_json(leaf_index=lambda index: index - 1),
    "outside the tree": edit_json(leaf_index=lambda index: index + 1000),
    "below the tree": edit_json(leaf_index=-1),
    "step removed": edit_json(proof=lambda proof: proof[1:]),
    "step added": edit_json(proof=lambda proof: [*proof, "00" * 32]),
    "steps exchanged": edit_json(proof=lambda proof: [proof[1], proof[0], *proof[2:]]),
    "step altered": edit_json(proof=lambda proof: ["00" * 32, *proof[1:]]),
}


@pytest.mark.parametrize("harm", HARMS)
def test_shell_and_program_agree_that_a_bad_proof_is_bad(site: LogSite, tmp_path: Path, harm: str) -> None:
    folder = written(prove(site.stores, site.segments[3].key), tmp_path / "proof")
    HARMS[harm](folder)
    assert not by_us(folder)
    assert not by_shell(folder)


@settings(max_examples=12, deadline=None)
@given(size=st.integers(1, 40), data=st.data())
def test_shell_and_program_agree_on_trees_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = merkle.Tree(merkle.leaf_hash(b"%d" % number) for number in range(size))
    note = Note(
        origin="saksi.test/log", number=1, size=size, root=tree.root(), prev="0" * 64, at=0, leaves="0" * 64
    )
    proof = InclusionProof(
        leaf=b"%d" % index, index=index, proof=tree.proof(index), key="journal/x", line=1,
        checkpoint=note.encode(), signature=None, stamp=None,
    )  # fmt: skip
    folder = written(proof, tmp_path_factory.mktemp("tree") / "proof")
    assert by_us(folder)
    assert by_shell(folder)
    stated = data.draw(st.integers(0, size - 1))
    edit_json(leaf_index=stated)(folder)
    assert by_us(folder) == by_shell(folder) == (stated == index)


def test_openssl_believes_signature_and_stamp(site: LogSite, tmp_path: Path) -> None:
    required("openssl")
    folder = written(prove(site.stores, site.segments[0].key), tmp_path / "proof")
    shutil.copy(site.keys_dir / "root.pem", folder / "root.pem")
    shutil.copy(site.keys_dir / "root.pem", folder / "tsa-root.pem")
    moment = site.note(1).at // 1_000_000 + 60
    block = commands("seals").replace(" -verify ", f" -verify -attime {moment} ")
    script = f"set -e\n{block}"
    assert (
        subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, check=False).returncode == 0
    )
    (folder / "checkpoint").write_bytes((folder / "checkpoint").read_bytes().replace(b"prev 0", b"prev 1"))
    assert subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, check=False).returncode
