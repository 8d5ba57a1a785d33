"""Finds a Java that Elasticsearch 9 can run on."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from archive.errors import Unavailable

OLDEST = 21
MODULE = "jdk.incubator.vector"
_VARIABLES = ("ES_JAVA_HOME", "JAVA_HOME")
_HINT = (
    f"install a full JDK {OLDEST} or newer (a package such as temurin-25-jdk or openjdk-21-jdk-headless) "
    "and, unless it lands under /usr/lib/jvm, set ES_JAVA_HOME to its folder"
)


def find(
    *,
    environ: Mapping[str, str] | None = None,
    roots: tuple[Path, ...] = (Path("/usr/lib/jvm"), Path("/opt")),
    usable: Callable[[Path], bool] = lambda home: True,
) -> Path:
    """Return the home of a JDK of at least version 21 that has ``jdk.incubator.vector``.

    Looks at ``ES_JAVA_HOME``, ``JAVA_HOME``, the folders in ``roots`` (newest name first) and the ``java``
    on the path; ``usable`` may reject a home, for example because the server's account cannot enter it.
    Raises ``Unavailable`` (``stack_jdk_missing``), which names the rejected JDKs.
    """
    environ = os.environ if environ is None else environ
    turned_down: list[str] = []
    for home in _candidates(environ, roots):
        reason = _objection(home)
        if reason is None and not usable(home):
            reason = "the account that Elasticsearch runs as cannot read it"
        if reason is None:
            return home
        turned_down.append(f"{home}: {reason}")
    found = "; ".join(turned_down) or "no JDK"
    raise Unavailable(
        f"Elasticsearch needs a JDK >= {OLDEST} that has the module {MODULE}; found {found}",
        code="stack_jdk_missing",
        hint=_HINT,
    )


def _candidates(environ: Mapping[str, str], roots: tuple[Path, ...]) -> Iterator[Path]:
    seen: set[Path] = set()
    named = [Path(environ[name]) for name in _VARIABLES if environ.get(name)]
    installed = [home for root in roots if root.is_dir() for home in sorted(root.iterdir(), reverse=True)]
    on_path = shutil.which("java", path=environ.get("PATH", os.defpath))
    last = [Path(on_path).resolve().parent.parent] if on_path else []
    for home in (*named, *installed, *last):
        real = home.resolve()
        if real not in seen and (real / "bin/java").is_file():
            seen.add(real)
            yield real


def _objection(home: Path) -> str | None:
    """Why a JDK is rejected, or None; it prints version and modules in one answer: ``java.base@25.0.3``."""
    try:
        answer = subprocess.run(
            [home / "bin/java", "--list-modules"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    modules = dict(line.partition("@")[::2] for line in answer.stdout.split())
    version = re.match(r"\d+", modules.get("java.base", ""))
    if version is None:
        return "does not list its modules (older than 9?)"
    if int(version[0]) < OLDEST:
        return f"version {version[0]}, too old"
    return None if MODULE in modules else f"version {version[0]}, without {MODULE}"
