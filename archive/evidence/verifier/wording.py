"""A verdict as text for people: Indonesian first, English second, or one language only."""

from __future__ import annotations

from collections.abc import Iterator

from archive.evidence.verifier import findings, times
from archive.evidence.verifier.findings import Finding
from archive.evidence.verifier.notebook import NOT_CHECKED, NOT_VALID, VALID, Notebook

LANGUAGES = ("id", "en")
_SHOWN = 20
"""So many findings of one code are printed."""

_VERDICTS = {
    VALID: ("SAH", "VALID"),
    NOT_VALID: ("TIDAK SAH", "NOT VALID"),
    NOT_CHECKED: ("BELUM DIPERIKSA SELURUHNYA", "NOT CHECKED IN FULL"),
}
_STEPS = {
    "structure": ("susunan", "structure"),
    "payload": ("isi", "payload"),
    "completeness": ("kelengkapan", "completeness"),
    "statement": ("pernyataan", "statement"),
    "originals": ("segmen asli", "originals"),
    "derivation": ("asal klip", "derivation"),
    "journal": ("catatan perekam", "journal"),
    "log": ("log", "log"),
    "records": ("catatan arsip", "the ledger's entries"),
    "seal": ("segel", "seal"),
    "signer": ("penyegel", "signer"),
    "stamp": ("penanda waktu", "stamp"),
}
_OUTCOMES = {
    "passed": ("lulus", "passed"),
    "failed": ("GAGAL", "FAILED"),
    "skipped": ("dilewati", "skipped"),
    "unchecked": ("BELUM DIPERIKSA", "NOT CHECKED"),
}
_SEVERITIES = {
    "error": ("KESALAHAN", "ERROR"),
    "warning": ("PERHATIAN", "WARNING"),
    "unchecked": ("BELUM DIPERIKSA", "NOT CHECKED"),
}
_FACTS = (
    ("disegel oleh", "sealed by"),
    ("sidik jari penyegel (SHA-256)", "signer's fingerprint (SHA-256)"),
    ("paling lambat pada", "no later than"),
    ("penanda waktu dari", "stamped by"),
    ("bandingkan dengan berita acara: SHA-256 tagmanifest-sha256.txt", "compare with the handover report"),
)

_UNPROVEN = (
    "HAL BERIKUT HANYA DINYATAKAN OLEH PAKET DAN TIDAK TERBUKTI",
    "THE PACKAGE CLAIMS THE FOLLOWING; IT IS NOT PROVEN",
)


def verdict(notebook: Notebook, name: str, language: str = "") -> Iterator[str]:
    """Lines of text; ``language`` is ``id``, ``en`` or empty for both."""
    words = _both(_VERDICTS[notebook.verdict], language)
    yield f"{printable(name)}: {words}  {printable(notebook.fact('evidence_id', ''))}".rstrip()
    for step, outcome in notebook.to_json()["steps"].items():
        yield f"  {_both(_STEPS[step], language):32} {_both(_OUTCOMES[outcome], language)}"
    yield from _findings(notebook, language)
    if notebook.signer is not None and notebook.tags is not None:
        if notebook.verdict != VALID:
            yield f"  {_both(_UNPROVEN, language)}"
        yield from _facts(notebook, language)


def sentence(code: str, language: str = "") -> str:
    """The sentence of a code."""
    entry = findings.of(code)
    return _both((entry.indonesian, entry.english), language)


def _findings(notebook: Notebook, language: str) -> Iterator[str]:
    """The first findings of each code, each code's own together with how many more there are."""
    of: dict[str, list[Finding]] = {}
    for finding in notebook.findings:
        of.setdefault(finding.code, []).append(finding)
    for code, found in of.items():
        for finding in found[:_SHOWN]:
            yield from _finding(finding, language)
        left = len(found) - len(found[:_SHOWN]) + notebook.more.get(code, 0)
        if left:
            words = f"… dan {left} temuan lagi [{code}]", f"… and {left} more of [{code}]"
            yield f"  {_both(words, language)}"


def _finding(finding: Finding, language: str) -> Iterator[str]:
    severity, path = _both(_SEVERITIES[finding.severity], language), printable(finding.path)
    yield f"  {severity} [{finding.code}] {path}".rstrip()
    entry = findings.of(finding.code)
    for number, text in enumerate((entry.indonesian, entry.english)):
        if language in ("", LANGUAGES[number]):
            yield f"    {text}"
    if finding.detail:
        yield f"    ({printable(finding.detail)})"


def _facts(notebook: Notebook, language: str) -> Iterator[str]:
    told = notebook.to_json()
    stamped = (
        "-" if notebook.gen_time is None else f"{times.show_wita(notebook.gen_time)} = {told['gen_time']}"
    )
    values = (
        told["signer_subject"],
        told["signer_sha256"],
        stamped,
        told["tsa_subject"] or "-",
        told["tagmanifest_sha256"],
    )
    for label, value in zip(_FACTS, values):
        yield f"  {_both(label, language)}:"
        yield f"    {printable(value)}"


def printable(text: str) -> str:
    """Text from a package; characters that move a terminal's cursor or turn the reading order are escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _both(pair: tuple[str, str], language: str) -> str:
    return " / ".join(dict.fromkeys(pair)) if not language else pair[LANGUAGES.index(language)]
