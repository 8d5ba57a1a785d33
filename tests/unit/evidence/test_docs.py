"""The guide names every finding."""

import re
from pathlib import Path

import archive.evidence

PACKAGE = Path(archive.evidence.__file__).parent
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "verify.md"
READERS = ("bag", "certificates", "cms", "derivation", "parcel", "statement", "token")
NOT_FINDINGS = {
    "bad_fingerprint", "bad_package", "bad_package_path", "bad_trust", "package_not_found", "trust_not_found",
}  # fmt: skip
"""What is wrong with the command itself, and is raised."""


def test_the_guide_names_every_finding() -> None:
    sources = [*(PACKAGE / "checks").glob("*.py"), PACKAGE / "verify.py"]
    sources += [PACKAGE / f"{name}.py" for name in READERS]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    found = set(re.findall(r'(?:error|warn|_read)\(\s*(?:[\w.]+, ){0,2}"([a-z_]+)"', text))
    found |= set(re.findall(r'(?:code|default_code)(?: =|=) ?"([a-z_]+)"', text))
    found -= NOT_FINDINGS | {"seal_broken", "stamp_broken"}
    assert len(found) > 30
    named = set(re.findall(r"`([a-z_]+)`", GUIDE.read_text("utf-8")))
    assert found <= named, f"docs/guide/verify.md does not name {sorted(found - named)}"
