"""ZIPs mutated in structure: each is refused, or every program unpacks the bytes that were verified.

480 mutants here; ``make soak-zip`` tries 100,000 (``SAKSI_ZIP_CASES``) and writes the counts to
the path in ``SAKSI_ZIP_REPORT``.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.evidence.verifier.container import NoPackage, Unreadable, open_container
from tests.support import unzippers
from tests.support.programs import required
from tests.support.unzippers import Java, Tree, Unzipper
from tests.support.zip_mutants import CHANGES, mutant

CASES = int(os.environ.get("SAKSI_ZIP_CASES", "480"))
REPORT = os.environ.get("SAKSI_ZIP_REPORT", "")
BLOCKS = 4


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Unzipper]]:
    """Those of Java only where they are at hand."""
    required("unzip")
    required("7z")
    found: dict[str, Unzipper] = {
        "Python": unzippers.python,
        "Windows": unzippers.windows,
        "unzip": unzippers.info_zip,
        "7z": unzippers.seven_zip,
    }
    java = Java(tmp_path_factory.mktemp("java")) if shutil.which("jar") and shutil.which("java") else None
    if java is not None:
        found |= {"jar": java.jar, "stream": java.stream}
    yield found
    if java is not None:
        java.close()


def read(path: Path) -> tuple[str, Tree]:
    """What the verifier would verify, with the folder's name; or why it refuses the ZIP."""
    try:
        container = open_container(str(path))
    except NoPackage:
        return "no package", {}
    if container.objections:
        return "unsafe_entry", {}
    if container.foreign:
        return "foreign_zip", {}
    try:
        parts = {f"{container.folder}/{part}": container.small(part) for part in container.sizes}
    except Unreadable:
        return "unreadable_part", {}
    finally:
        container.close()
    return ("unreadable_part", {}) if container.damaged else ("accepted", parts)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_what_is_accepted_is_what_every_program_unpacks(
    programs: dict[str, Unzipper], tmp_path: Path, block: int
) -> None:
    path, into = tmp_path / "mutant.zip", tmp_path / "into"
    counts: Counter[str] = Counter()
    changes: Counter[str] = Counter()
    for number in range(block, CASES, BLOCKS):
        data, done = mutant(number)
        path.write_bytes(data)
        outcome, expected = read(path)
        counts[outcome] += 1
        changes.update(done)
        if outcome != "accepted":
            continue
        for name, program in programs.items():
            into.mkdir()
            assert program(path, into) == expected, f"mutant {number} ({', '.join(done)}) in {name}"
            shutil.rmtree(into)
            counts[name] += 1
    assert counts["accepted"] > CASES // BLOCKS // 20, "mutants that stay whole are compared"
    assert counts["foreign_zip"] > CASES // BLOCKS // 3
    if REPORT:
        with Path(REPORT).open("a") as writer:
            writer.write(json.dumps({"block": block, "outcomes": counts, "changes": changes}) + "\n")
    if CASES >= 480:
        assert set(changes) == {change.__name__ for change in CHANGES}


def test_the_programs_disagree_about_some_that_are_refused(
    programs: dict[str, Unzipper], tmp_path: Path
) -> None:
    """Else the mutants would prove nothing."""
    path, into = tmp_path / "mutant.zip", tmp_path / "into"
    differing = 0
    for number in range(60):
        path.write_bytes(mutant(number)[0])
        if read(path)[0] != "foreign_zip":
            continue
        found = []
        for name in ("Python", "Windows", "unzip", "7z"):
            into.mkdir()
            found.append(programs[name](path, into))
            shutil.rmtree(into)
        differing += any(one != found[0] for one in found)
    assert differing > 5
