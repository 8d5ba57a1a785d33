"""The verifier on one package, with one ``openssl`` for a whole module, and what it says in short."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from archive.evidence.verification import At
from archive.evidence.verifier import revocation_list, trust
from archive.evidence.verifier.certificate import read_pem
from archive.evidence.verifier.container import NoPackage, open_container
from archive.evidence.verifier.notebook import NOT_CHECKED, Notebook
from archive.evidence.verifier.openssl import Answer, Openssl
from archive.evidence.verifier.verify import verify
from archive.trust.judge import Trust
from tests.support.packages import World


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    """The ``openssl`` that the verifier asks."""
    made = Openssl()
    yield made
    made.close()


class AskedOnce(Openssl):
    """The real program, asked once about the same bytes: for many packages that differ in a part."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[Any, ...], Answer] = {}

    def seal(self, *asked: Any) -> Answer:
        return self._once(super().seal, asked)

    def stamp(self, *asked: Any) -> Answer:
        return self._once(super().stamp, asked)

    def chain(self, *asked: Any) -> Answer:
        return self._once(super().chain, asked)

    def ed25519(self, *asked: Any) -> Answer:
        return self._once(super().ed25519, asked)

    def _once(self, ask: Callable[..., Answer], asked: tuple[Any, ...]) -> Answer:
        key = (ask.__name__, *asked)
        if key not in self._known:
            self._known[key] = ask(*asked)
        return self._known[key]


@dataclass(frozen=True)
class Opinion:
    """A verdict: whether valid, and the codes of all findings; ``bad_package`` where there is none."""

    valid: bool
    codes: frozenset[str]


def verified(
    world: World,
    path: Path,
    given: Trust,
    at: At,
    program: Openssl | None,
    allowed: frozenset[str] = frozenset(),
) -> Notebook:
    """The verifier's notebook. Raises NoPackage."""
    pem = (world.keys / "root.pem").read_bytes()
    roots = tuple(read_pem(pem)) if given.roots else ()
    lists = tuple(one for crl in given.crls for one in revocation_list.read(crl.public_bytes(Encoding.DER)))
    pinned = given.signer_sha256 or "", given.log_sha256 or ""
    trusted = trust.Trust(roots, roots, *pinned, program, lists, why="not given")
    container = open_container(str(path))
    try:
        return verify(container, trusted, at, clock=world.clock.now, allowed=allowed)
    finally:
        container.close()


def opinion(
    world: World, path: Path, given: Trust, at: At, program: Openssl | None
) -> tuple[Opinion, Notebook | None]:
    """What the verifier says."""
    try:
        notebook = verified(world, path, given, at, program)
    except NoPackage:
        return Opinion(False, frozenset({"bad_package"})), None
    assert program is None or notebook.verdict != NOT_CHECKED
    return Opinion(notebook.valid, frozenset(finding.code for finding in notebook.findings)), notebook
