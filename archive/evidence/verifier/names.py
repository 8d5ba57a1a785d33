"""Names that must not be in a package, because some system stores another file under them or none."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_NAME = 255
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}.union(
    port + digit for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
)
_NOT_ON_WINDOWS = '<>"|?*'


def objections(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names that a package must not have, and why.

    Beyond ASCII one letter has several forms, and two letters look like one.
    """
    names = list(names)
    return harmful(names) + [(name, "is not a plain ASCII name") for name in names if not name.isascii()]


def harmful(names: Iterable[str], folders: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Names that leave the package, or that some system cannot distinguish or cannot store.

    ``folders`` are those that a ZIP has an entry for, without their last slash.
    """
    names, folders = list(names), list(folders)
    found: list[tuple[str, str]] = []
    folded: dict[str, str] = {}
    above = {_folded(name) for name in folders}
    for name in (*folders, *names):
        problem = _harm(name)
        if problem:
            found.append((name, problem))
    for name in names:
        form = _folded(name)
        other = folded.setdefault(form, name)
        if other != name:
            found.append((name, f"differs from {other} in case or in form only"))
        while "/" in form and form.rpartition("/")[0] not in above:
            form = form.rpartition("/")[0]
            above.add(form)
    found += [(name, "is a file and a folder") for form, name in folded.items() if form in above]
    return found


def _harm(name: str) -> str:
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        return "is a name that leaves the package"
    if not name.isprintable():
        return "has characters that cannot be shown"
    if any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in parts):
        return "is longer than file systems store"
    if any(part.partition(".")[0].rstrip(" ").lower() in _DEVICES for part in parts):
        return "is a device name of Windows"
    if any(part[-1:] in (".", " ") for part in parts):
        return "ends with a dot or a space, which Windows drops"
    if any(one in name for one in _NOT_ON_WINDOWS):
        return "has a character that Windows does not allow"
    return ""


def _folded(name: str) -> str:
    """What file systems that ignore case and the form of a letter make of a name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
