"""Step *completeness*: what may lie in ``signatures/`` and ``handover/``, which the seal does not cover.

Only what the archive puts there, under the names it gives. Papers of a handover carry their own hash in their
names. ``signatures/certs/`` is checked with the seal (:mod:`archive.evidence.verifier.revocation`).
"""

from __future__ import annotations

import re

from archive.evidence.verifier import canonical
from archive.evidence.verifier.container import LATER, Unreadable
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.revocation import FOLDER
from archive.evidence.verifier.trust import SEAL, STAMP

_PAPER = re.compile(r"(handover/[1-9][0-9]{0,8}/)(?:right|receipt|closing)-([0-9a-f]{16})\.json\Z", re.ASCII)
_REPORT = re.compile(
    r"(handover/[1-9][0-9]{0,8}/)berita-acara-([0-9a-f]{16})(?:-([0-9a-f]{16}))?\.pdf\Z", re.ASCII
)


def check(notebook: Notebook) -> None:
    """Check names and contents; every part is read to its end, so that a ZIP's CRC-32 is compared too."""
    notebook.begin("completeness")
    for path in sorted(notebook.container.sizes):
        if path.startswith(LATER):
            _check(notebook, path)


def _check(notebook: Notebook, path: str) -> None:
    paper, report = _PAPER.match(path), _REPORT.match(path)
    if paper is None and report is None and path not in (SEAL, STAMP) and not path.startswith(FOLDER):
        notebook.find("unlisted_part", path, "the archive puts no part of this name there")
    try:
        content = notebook.container.small(path)
    except Unreadable as error:
        notebook.find("unreadable_part", path, str(error))
        return
    if paper is not None and not canonical.sha256(content).startswith(paper[2]):
        notebook.find("handover_altered", path, "its SHA-256 does not begin as its name says")
    if report is not None:
        named = [f"right-{report[2]}.json", *([f"receipt-{report[3]}.json"] if report[3] else [])]
        missing = [name for name in named if report[1] + name not in notebook.container.sizes]
        if missing:
            notebook.find("handover_altered", path, f"it prints {missing[0]}, which is not beside it")
        if not content.startswith(b"%PDF-"):
            notebook.find("handover_altered", path, "it is not a PDF")
