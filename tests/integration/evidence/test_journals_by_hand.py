"""Step 11 of ``VERIFIKASI.txt``, run as written: journal batches with ``openssl`` and ``sha256sum``."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.evidence.test_package_witnesses import run, steps_of
from tests.support.insider import InsiderSite, insider_site, sliced_site
from tests.support.journals import encode_1
from tests.support.programs import required
from tests.unit.evidence.test_verifier_slices import part_of

JOURNALS = 11
BATCH = "data/proofs/journal/rec-1_000000000{}.jsonl"


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    for program in ("openssl", "sha256sum"):
        required(program)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return sliced_site(tmp_path_factory.mktemp("sliced"))


@pytest.fixture
def package(site: InsiderSite, tmp_path: Path) -> Path:
    shutil.copytree(site.package, tmp_path / "case" / "package", copy_function=shutil.copyfile)
    return tmp_path / "case" / "package"


def said(package: Path) -> list[str]:
    done = run(package, steps_of(package)[JOURNALS])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


GOOD = [f"{BATCH.format(number)} data/proofs/recorders/rec-1.pub.pem" for number in (1, 2, 3)]


def test_each_slice_names_the_key_that_signed_it(package: Path) -> None:
    assert said(package) == GOOD


def edit(package: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    path = package / BATCH.format(number)
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda data: data.replace(b'"origin":"recorder"', b'"origin":"recorded"'),
            f"{BATCH.format(3)} GAGAL",
        ),
        (lambda data: re.sub(rb'"sig":"....', b'"sig":"AAAA', data), f"{BATCH.format(3)} GAGAL"),
        (lambda data: data.replace(b'"unreachable"', b'"disabled"', 1), f"GAGAL {BATCH.format(3)} 2"),
        (lambda data: data.replace(b'"frames":', b'"frames":1', 1), f"GAGAL {BATCH.format(3)} 2"),
        (lambda data: data.replace(part_of(data, "cam-2"), b""), f"TERTINGGAL {BATCH.format(3)}"),
        (
            lambda data: re.sub(rb'"tag_key":"..', b'"tag_key":"00', data, count=1),
            f"GAGAL {BATCH.format(3)} 2",
        ),
        (lambda data: data.replace(b'"lines":2,"tag', b'"lines":9,"tag'), f"GAGAL {BATCH.format(3)} 2"),
        (lambda data: data.replace(b'"lines":2,"tag', b'"lines":x,"tag'), f"GAGAL {BATCH.format(3)} 2"),
    ],
)
def test_a_change_of_a_batch_shows(package: Path, change: Callable[[bytes], bytes], says: str) -> None:
    edit(package, 3, change)
    assert says in said(package)


def test_an_original_whose_record_no_batch_has_shows(package: Path) -> None:
    for number in (1, 2, 3):
        edit(package, number, lambda data: data.replace(part_of(data, "cam-2"), b""))
    leaves = (package / "data/proofs/leaves/cam-2.jsonl").read_text().splitlines()
    assert said(package) == [*GOOD, *leaves]


def test_a_hostile_batch_makes_the_step_run_nothing(package: Path) -> None:
    mark = package.parent / "ran"
    for number, word in enumerate(("1e touch x", f"$(touch {mark})", f"'; touch {mark}; '"), 1):
        path = package / BATCH.format(number)
        data = re.sub(rb'"recorder":"rec-1"', f'"recorder":"{word}"'.encode(), path.read_bytes())
        data = re.sub(rb'"lines":\d+', f'"lines":{word}'.encode(), data)
        path.write_bytes(re.sub(rb'"sig":"', f'"sig":"{word}'.encode(), data))
    assert all("GAGAL" in line or line.startswith("{") for line in said(package))
    assert not mark.exists()


def test_batches_of_version_1_are_checked_whole(tmp_path: Path) -> None:
    old = insider_site(tmp_path / "old", encode=encode_1).package
    batches = sorted((old / "data/proofs/journal").glob("*.jsonl"))
    assert all(path.read_bytes().partition(b"\n")[0].endswith(b',"v":1}') for path in batches)
    good = [f"{path.relative_to(old)} data/proofs/recorders/rec-1.pub.pem" for path in batches]
    assert said(old) == good
    batches[0].write_bytes(batches[0].read_bytes().replace(b'"unreachable"', b'"disabled"', 1))
    assert said(old) == [f"{batches[0].relative_to(old)} GAGAL", *good[1:]]
