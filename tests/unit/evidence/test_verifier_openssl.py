"""How often the verifier asks ``openssl``: a small package takes longer for that than for everything else."""

import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.clock import ManualClock
from archive.evidence.verifier import openssl
from archive.evidence.verifier.certificate import read_pem
from archive.evidence.verifier.openssl import Openssl
from archive.timespan import DAY
from tests.support import verifying
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.verifying import verified

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")

program = verifying.program


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"), segments=1)
    made.zip()
    return made


def zipped(world: World) -> Path:
    return world.folder / f"{EVIDENCE_ID}.zip"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each subcommand was run."""
    found: Counter[str] = Counter()
    run = subprocess.run

    def counting(command: list[str], **options: Any) -> Any:
        found[command[1]] += 1
        return run(command, **options)

    monkeypatch.setattr(openssl.subprocess, "run", counting)
    return found


@pytest.mark.parametrize(("at", "chains"), [("stamp", 0), ("now", 1)])
def test_each_signature_is_one_question(world: World, asked: Counter[str], at: Any, chains: int) -> None:
    """The seal, a checkpoint, a batch and two stamps; at another time also the chain of the seal's stamp."""
    later = world if at == "stamp" else replace(world, clock=ManualClock(world.clock.now() + DAY))
    fresh = Openssl()
    notebook = verified(later, zipped(world), world.pinned(), at, fresh)
    fresh.close()
    assert (notebook.verdict, notebook.findings) == ("valid", [])
    assert asked == Counter(version=1, cms=2, ts=2, pkeyutl=1, **({"verify": chains} if chains else {}))


def test_what_was_asked_is_not_asked_again(world: World, asked: Counter[str]) -> None:
    fresh = Openssl()
    for _ in range(2):
        assert verified(world, zipped(world), world.pinned(), "stamp", fresh).verdict == "valid"
    fresh.close()
    assert asked.total() == 6


def test_an_answer_is_about_exactly_what_was_asked(world: World, program: Openssl) -> None:
    """Contents that follow one another are not taken for others with the same bytes in all."""
    (root,) = read_pem((world.keys / "root.pem").read_bytes())
    seal = world.sealer.signer.sign_cms(b"ab")
    now = world.clock.now()
    assert program.seal(seal, b"ab", (root,), now).good
    assert not program.seal(seal, b"a", (root,), now).good
    assert not program.seal(seal + b"a", b"b", (root,), now).good
    assert not program.seal(seal, b"ab", (root,), now + 9000 * DAY).good
    assert not program.seal(seal, b"ab", (), now).good
    assert program.seal(seal, b"ab", (root,), now).good


def test_questions_side_by_side_do_not_mix(world: World) -> None:
    (root,) = read_pem((world.keys / "root.pem").read_bytes())
    seals = [world.sealer.signer.sign_cms(b"%d" % number) for number in range(6)]
    fresh = Openssl()
    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(
            lambda pair: fresh.seal(seals[pair[0]], b"%d" % pair[1], (root,), world.clock.now()).good,
            [(one, two) for one in range(6) for two in (one, (one + 1) % 6)],
        )
        assert list(answers) == [True, False] * 6
    folder = Path(fresh._folder.name)
    assert list(folder.iterdir()) == [], "temporary parts are removed"
    fresh.close()
