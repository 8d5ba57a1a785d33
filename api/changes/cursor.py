"""A place in the stream of changes: what a reader has been told, as ``id:`` of each event.

A browser that lost the stream sends the last one as ``Last-Event-ID``, to whichever process answers; what
changed meanwhile is told at once. Nothing is kept for it on the server.
"""

import re
from collections.abc import Mapping

from api.changes.subjects import Subject

_MARK = re.compile(r"([a-z]+):([0-9a-f]{16})\Z", re.ASCII)
_LONGEST = 200
_SUBJECTS = {one.value: one for one in Subject}


def cursor_of(marks: Mapping[Subject, str]) -> str:
    """The cursor of these fingerprints."""
    return ",".join(f"{subject.value}:{mark}" for subject, mark in sorted(marks.items()))


def marks_in(cursor: str) -> dict[Subject, str]:
    """The fingerprints in a cursor. What is none of ours is left out: its subjects then count as changed."""
    found: dict[Subject, str] = {}
    if len(cursor) <= _LONGEST:
        for part in cursor.split(","):
            match = _MARK.match(part.strip())
            if match is not None and match[1] in _SUBJECTS:
                found[_SUBJECTS[match[1]]] = match[2]
    return found
