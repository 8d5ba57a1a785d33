"""``saksi-verify.pyz``: the verifier in one file, the same bytes from the same sources.

A ZIP of :mod:`archive.evidence.verifier` and the JSON Schema, behind a line that names Python. Entries are
stored, sorted and dated 1980-01-01, so that anybody can build it anew and compare its SHA-256.
"""

import io
import zipfile
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from archive.errors import Malformed

NAME = "saksi-verify.pyz"
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = b'''"""Verify an evidence package."""
import sys

if sys.version_info < (3, 9):
    sys.exit("saksi-verify: Python 3.9 or later is needed")

from archive.evidence.verifier.command import run

sys.exit(run())
'''
_PACKAGE = b'"""Only the verifier."""\n'
_SCHEMA = "evidence-package-2.schema.json"
_DATED = (1980, 1, 1, 0, 0, 0)


def contents() -> dict[str, bytes]:
    """The entries by name."""
    evidence = files("archive.evidence")
    found = {
        "__main__.py": _MAIN,
        "archive/__init__.py": _PACKAGE,
        "archive/evidence/__init__.py": _PACKAGE,
        f"archive/evidence/{_SCHEMA}": (evidence / _SCHEMA).read_bytes(),
    }
    for module in (evidence / "verifier").iterdir():
        if module.name.endswith(".py"):
            found[f"archive/evidence/verifier/{module.name}"] = module.read_bytes()
    return found


def build() -> bytes:
    """The bytes of the single file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for name, content in sorted(contents().items()):
            entry = zipfile.ZipInfo(name, _DATED)
            entry.create_system = 3
            entry.external_attr = 0o100444 << 16
            target.writestr(entry, content)
    return _SHEBANG + packed.getvalue()


def write(path: Path) -> str:
    """Write the executable file, replacing an older one; returns its SHA-256 (hex).

    Raises:
        Malformed: ``output_unwritable``.
    """
    data = build()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755)
    except OSError as error:
        raise Malformed(f"{path} cannot be written: {error.strerror}", code="output_unwritable") from error
    return sha256(data).hexdigest()
