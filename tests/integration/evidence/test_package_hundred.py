"""Random packages, checked by every witness: sha256sum, OpenSSL, bagit-python, ``saksi verify``, and the pyz.

The commands are those of ``VERIFIKASI.txt`` in each package. ``SAKSI_PACKAGES`` sets the number; the long
form is ``make soak-packages``.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from archive.clock import SystemClock
from archive.errors import Refused
from archive.timespan import SECOND
from ops.pyz import write as write_pyz
from tests.integration.evidence.test_package_witnesses import BAG, LATER, SEAL, TAGS, WHEN, WHO, run, steps_of
from tests.support.numbered import VARIANTS
from tests.support.packages import World, a_request, make_world
from tests.support.programs import required
from tests.support.real_packages import real_world

COUNT = int(os.environ.get("SAKSI_PACKAGES", "8"))
TEN_YEARS = 3_653 * 86_400


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    required("openssl")
    required("sha256sum")


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "saksi-verify.pyz"
    write_pyz(path)
    return path


def a_world(random: Random, folder: Path, number: int) -> World:
    """Real footage in every second package, else synthetic of several cameras, or a statement of absence."""
    now = SystemClock().now()
    if number % 2:
        variant = random.choice(sorted(VARIANTS))
        for _ in range(20):
            begin = random.randrange(0, 12 * SECOND)
            end = begin + random.randrange(2 * SECOND, 12 * SECOND)
            lost = frozenset(n for n in range(1, 10) if random.random() < 0.15)
            try:
                return real_world(variant, folder, begin=begin, end=end, lost=lost, now=now)
            except (Refused, IndexError):
                shutil.rmtree(folder)  # all of it was lost, or two stretches do not join: another span
                folder.mkdir()
    is_of_nothing = number % 10 == 4
    world = make_world(
        folder / "synthetic",
        cameras=tuple(random.sample(["cam-1", "CAM-1", "aux", "con.2", "zz"], random.randint(1, 3))),
        segments=random.randint(1, 4),
        segment_size=random.randrange(10, 60_000),
        codec=random.choice(["h264", "hevc"]),
        seed=str(number),
        clips=random.random() < 0.8,
        request=a_request() if random.random() < 0.5 and not is_of_nothing else None,
        now=now,
    )
    return world.of_nothing() if is_of_nothing else world


@pytest.mark.parametrize("number", range(COUNT))
def test_every_witness_accepts_a_package(number: int, tmp_path: Path, pyz: Path) -> None:
    world = a_world(Random(f"hundred {number}"), tmp_path, number)  # noqa: S311 - the same ones each time
    case = tmp_path / "case"
    package = world.unpacked(case)
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(world.keys / "root.pem", case / name)
    commands = steps_of(package)
    quiet = run(package, commands[TAGS])
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert "CAdES Verification successful" in run(package, commands[SEAL]).stderr
    assert world.pinned().signer_sha256 in run(package, commands[WHO]).stdout.replace(":", "").lower()
    for step in (WHEN, LATER, BAG):
        done = run(package, commands[step])
        assert done.returncode == 0, done.stderr
    ten_years_on = SystemClock().now() // SECOND + TEN_YEARS
    expired = run(package, [commands[SEAL][0].replace("-verify", f"-verify -attime {ten_years_on}", 1)])
    assert expired.returncode != 0, "it is the stamp's own time that makes it good after the certificates"
    result = world.verify(package)
    assert result.valid, result.findings
    assert {finding.code for finding in result.findings} <= {"slices_unreadable"}
    later = replace(world, clock=world.clock)
    later.clock.advance(TEN_YEARS * SECOND)
    assert later.verify(package, at="stamp").valid
    _check_pyz(world, package, pyz)


def _check_pyz(world: World, package: Path, pyz: Path) -> None:
    trust = world.pinned()
    done = subprocess.run(
        [
            sys.executable,
            str(pyz),
            str(package),
            "--trust",
            str(world.keys / "root.pem"),
            "--signer",
            str(trust.signer_sha256),
            "--log-key",
            str(trust.log_sha256),
            "--at",
            "stamp",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["valid"]) == (0, True), verdict["findings"]
