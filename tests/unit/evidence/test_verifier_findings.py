"""Every finding of the verifier has its sentences; the reference page and the guide name it."""

import re
from pathlib import Path

import archive.evidence.verifier
from archive.evidence.verifier import findings
from archive.evidence.verifier.notebook import STEPS
from ops.reference import findings_table

VERIFIER = Path(archive.evidence.verifier.__file__).parent
ROOT = VERIFIER.parents[2]


def codes_of(sources: list[Path], pattern: str) -> set[str]:
    return {code for source in sources for code in re.findall(pattern, source.read_text("utf-8"))}


def test_every_finding_of_the_verifier_has_its_sentence() -> None:
    sources = [one for one in VERIFIER.glob("*.py") if not one.name.startswith("findings")]
    found = codes_of(sources, r'(?:find|Broken|_object)\(\s*(?:\w+, )?"([a-z_]+)"')
    found |= codes_of(sources, r'Broken\("\w+" if .* else "([a-z_]+)"')
    assert len(found) > 45
    assert found <= set(findings.ENTRIES), found - set(findings.ENTRIES)


def test_no_entry_is_without_a_finding() -> None:
    sources = [one for one in VERIFIER.glob("*.py") if not one.name.startswith("findings")]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    assert {code for code in findings.ENTRIES if f'"{code}"' not in text} == set()


def test_every_entry_speaks_both_languages_and_says_what_it_rests_on() -> None:
    for entry in findings.ENTRIES.values():
        assert entry.step in STEPS
        assert entry.severity in (findings.ERROR, findings.WARNING, findings.OPEN)
        assert entry.indonesian.endswith(".")
        assert entry.english.endswith(".")
        assert entry.indonesian != entry.english
        assert entry.rests_on
    sentences = [entry.indonesian for entry in findings.ENTRIES.values()]
    assert len(set(sentences)) == len(sentences)


def test_the_reference_page_shows_the_catalogue() -> None:
    page = (ROOT / "docs/reference/verification.md").read_text("utf-8")
    assert findings_table() in page, "run: make docs"


def test_an_unknown_code_is_an_error() -> None:
    assert findings.of("no_such_code").severity == findings.ERROR


def test_the_guide_names_every_finding() -> None:
    named = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs/guide/verify.md").read_text("utf-8")))
    assert set(findings.ENTRIES) <= named, f"docs/guide/verify.md: {sorted(set(findings.ENTRIES) - named)}"
