"""The catalogue has every finding of both verifiers, and the reference page shows the catalogue."""

import re
from pathlib import Path

import archive.evidence
from archive.evidence.standalone import catalogue
from archive.evidence.standalone.notebook import STEPS
from ops.reference import findings_table

EVIDENCE = Path(archive.evidence.__file__).parent
ROOT = EVIDENCE.parents[1]
READERS = ("bag", "certificates", "cms", "derivation", "papers", "parcel", "revocation", "slices", "token")
NOT_FINDINGS = {
    "bad_fingerprint", "bad_package", "bad_package_path", "bad_trust", "package_not_found", "trust_not_found",
    "crl_not_found", "seal_broken", "stamp_broken",
}  # fmt: skip
"""What is wrong with the command itself and is raised, and codes that never leave their module."""


def codes_of(sources: list[Path], pattern: str) -> set[str]:
    return {code for source in sources for code in re.findall(pattern, source.read_text("utf-8"))}


def test_every_finding_of_the_main_verifier_is_in_the_catalogue() -> None:
    sources = [*(EVIDENCE / "checks").glob("*.py"), EVIDENCE / "verify.py"]
    sources += [EVIDENCE / f"{name}.py" for name in READERS]
    found = codes_of(sources, r'(?:error|warn|_read|_object)\(\s*(?:[\w.]+, ){0,2}"([a-z_]+)"')
    found |= codes_of(sources, r'(?:code|default_code)(?: =|=) ?"([a-z_]+)"')
    assert len(found) > 50
    assert found - NOT_FINDINGS <= set(catalogue.ENTRIES), found - NOT_FINDINGS - set(catalogue.ENTRIES)


def test_every_finding_of_the_stand_alone_verifier_is_in_the_catalogue() -> None:
    sources = [one for one in (EVIDENCE / "standalone").glob("*.py") if not one.name.startswith("catalogue")]
    found = codes_of(sources, r'(?:find|Broken|_object)\(\s*(?:\w+, )?"([a-z_]+)"')
    found |= codes_of(sources, r'Broken\("\w+" if .* else "([a-z_]+)"')
    assert len(found) > 45
    assert found <= set(catalogue.ENTRIES), found - set(catalogue.ENTRIES)


def test_no_entry_is_without_a_finding() -> None:
    text = "\n".join(
        source.read_text("utf-8")
        for source in EVIDENCE.rglob("*.py")
        if not source.name.startswith("catalogue")
    )
    assert {code for code in catalogue.ENTRIES if f'"{code}"' not in text} == set()


def test_every_entry_speaks_both_languages_and_says_what_it_rests_on() -> None:
    for entry in catalogue.ENTRIES.values():
        assert entry.step in STEPS
        assert entry.severity in (catalogue.ERROR, catalogue.WARNING, catalogue.OPEN)
        assert entry.indonesian.endswith(".")
        assert entry.english.endswith(".")
        assert entry.indonesian != entry.english
        assert entry.rests_on
    sentences = [entry.indonesian for entry in catalogue.ENTRIES.values()]
    assert len(set(sentences)) == len(sentences)


def test_the_reference_page_shows_the_catalogue() -> None:
    page = (ROOT / "docs/reference/verification.md").read_text("utf-8")
    assert findings_table() in page, "run: make docs"


def test_an_unknown_code_is_an_error() -> None:
    assert catalogue.of("no_such_code").severity == catalogue.ERROR
