"""The command ``saksi`` in this process, at an instant and by a person that the test chooses.

It is found by its console script, so this module names no module of Saksi; it replaces only Python's clock.
"""

import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from unittest.mock import patch

from tests.support.command_line import Answer, CommandLine


@dataclass
class CommandsAt:
    """``saksi`` over one home. ``now`` is called at each reading of the clock and returns µs."""

    home: Path
    now: Callable[[], int]
    person: str = "auditor"

    def __call__(self, *words: str, by: str = "") -> Answer:
        """Run to the end; the caller checks the exit code."""
        (script,) = entry_points(group="console_scripts", name="saksi")
        main = script.load()
        name = by or self.person
        environment = CommandLine(self.home).environment() | {"LOGNAME": name, "SUDO_USER": ""}
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with (
            patch.dict(os.environ, environment, clear=True),
            patch.object(sys, "argv", ["saksi", *words]),
            patch.object(time, "time_ns", lambda: self.now() * 1000),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
        assert isinstance(code, int), code
        return Answer(code, out.getvalue(), err.getvalue())

    def must(self, *words: str, by: str = "") -> Answer:
        """Run to the end and insist on success."""
        answer = self(*words, by=by)
        assert answer.code == 0, f"saksi {' '.join(words)} ended with {answer.code}: {answer.err}"
        return answer
