"""The command ``saksi`` as a person or a program runs it: in its own process."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import preloaded


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Stdout as the one JSON object it must be."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def problem(self) -> dict[str, str]:
        """The last line of stderr as a problem."""
        value: dict[str, str] = json.loads(self.err.strip().splitlines()[-1])
        return value


@dataclass(frozen=True)
class CommandLine:
    """``saksi`` with its own home and further settings."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Leave the home as ``saksi init`` does: commands refuse to work where nothing is installed."""
        url = self.settings.get("SAKSI_ARCHIVE_URL", f"file://{self.home}/archive")
        self.home.mkdir(parents=True, exist_ok=True)
        if url.startswith("file://"):
            (Path(url.removeprefix("file://")) / "records").mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """The environment, without the caller's SAKSI_ settings."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SAKSI_")}
        return kept | {"SAKSI_HOME": str(self.home)} | dict(self.settings)

    def argv(self, *words: str) -> list[str]:
        """``python -m MODULE …``: what a process of this command runs."""
        return [sys.executable, "-m", "ops", *words]

    def __call__(self, *words: str, timeout: float = 120) -> Answer:
        """Run to the end; the caller judges the code."""
        _, _, module, *arguments = self.argv(*words)
        done = preloaded.run(module, arguments, self.environment(), timeout=timeout)
        return Answer(done.code, done.out, done.err)

    def must(self, *words: str, timeout: float = 120) -> Answer:
        """Run to the end and insist on success."""
        answer = self(*words, timeout=timeout)
        assert answer.code == 0, f"saksi {' '.join(words)} ended with {answer.code}: {answer.err}"
        return answer

    def add_camera(self, camera: str, source: str, **changes: str) -> Answer:
        """Register a camera with plausible facts."""
        facts = {
            "name": f"Kamera {camera}",
            "lat": "-5.1346",
            "lon": "119.4127",
            "kecamatan": "73.71.05",
            "kelurahan": "73.71.05.1001",
            "owner": "public",
            "view": "public",
            "segment-seconds": "4",
        } | changes
        options = [word for name, value in facts.items() for word in (f"--{name}", value)]
        return self("camera", "add", camera, "--source", source, *options)
