"""Runs a program that takes minutes: output into a log file, progress messages, one sentence on failure."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from archive.errors import Unavailable

_SIGN_OF_LIFE_SECONDS = 15.0


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    cwd: Path,
    progress: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
    limit: float = 1800,
) -> str:
    """Run the program to its end and return its standard output; ``what`` names the work to people.

    Raises ``Unavailable`` (``stack_build_failed``) with the last lines of its output if it fails, cannot
    be started or takes more than ``limit`` seconds.
    """
    out, err = cwd / ".stdout", cwd / ".stderr"
    progress(f"{what}…")
    began = told = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        try:
            process = subprocess.Popen(
                argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                env={**os.environ, **(environ or {})},
            )  # fmt: skip
        except OSError as error:
            raise _failed(what, f"{argv[0]}: {error.strerror}") from error
        with process:
            try:
                while process.poll() is None:
                    time.sleep(0.1)
                    now = time.monotonic()
                    if now - began > limit:
                        raise _failed(what, f"not done after {limit:.0f} s")
                    if now - told > _SIGN_OF_LIFE_SECONDS:
                        told = now
                        progress(f"{what}… {now - began:.0f} s")
            finally:
                # Also on Ctrl-C: leaving the block waits for the process, which must not run on.
                if process.poll() is None:
                    process.kill()
    output = out.read_text(errors="replace")
    if process.returncode != 0:
        tail = (err.read_text(errors="replace").strip() or output.strip()).splitlines()[-5:]
        raise _failed(what, " | ".join(tail) or f"exit status {process.returncode}")
    out.unlink()
    err.unlink()
    return output


def _failed(what: str, reason: str) -> Unavailable:
    return Unavailable(
        f"{what} failed: {reason}",
        code="stack_build_failed",
        hint="check the network and the free disk space, then run `saksi stack up` again",
    )
