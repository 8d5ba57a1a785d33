"""A camera's plug is pulled: within 30 seconds the list, the health, the metrics and a notice show it.

Everything is real and has a city's times: ``saksi record`` as a process, the API over the same index, the
notices' job in its thread, a mail server. One camera goes away with its connection; the other keeps its
connection and freezes.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from archive.errors import ArchiveError
from ops.jobs import JobThreads, all_jobs
from ops.serving import services_of
from ops.tokens import token_file
from ops.wiring import Site
from tests.integration.recorder.test_back_after_kill import record
from tests.support.api_site import Caller
from tests.support.command_line import CommandLine
from tests.support.in_time import in_time
from tests.support.notices import Mailbox, mail_server
from tests.support.recording_site import RecordingSite
from tests.support.scripted_camera import Script, scripted_camera
from tests.support.scripts import material, script, stamped, steady
from tests.support.waiting import until

FPS = 10
LONG, SHORT = 240, 30
WITHIN = 30.0
GONE, FROZEN = "kam-gone", "kam-frozen"
STEADILY = {"captured": steady(FPS), "stamp": stamped(steady(FPS))}
NOTICES = """
[notices.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "saksi@kota.example"
[[notices.mail]]
to = "kominfo@kota.example"
role = "admin"
"""


@dataclass
class Watched:
    """The places where a silent camera must show, and when each showed it (monotonic seconds)."""

    site: Site
    call: Caller
    line: CommandLine
    box: Mailbox
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def health(self) -> dict[str, Any]:
        answer = self.call.get("/v1/health/cameras")
        assert answer.status_code == 200, answer.text
        return {one["camera"]: one for one in answer.json()["cameras"]}

    def are(self, state: str, *cameras: str) -> bool:
        found = self.health()
        return all(found[camera]["state"] == state for camera in cameras)

    def known(self, camera: str) -> tuple[str, str]:
        found = self.health()[camera]
        return found["state"], found["since"]

    def started(self) -> str:
        (recorder,) = self.call.get("/v1/health/recorders").json()["recorders"]
        return str(recorder["started_at"])

    def look(self) -> bool:
        """Note what shows now; whether everything shows."""
        now = time.monotonic
        for camera, one in self.health().items():
            if one["state"] == "silent":
                self.seen.setdefault((camera, "health"), now())
        metrics = self.call.get("/metrics").text
        for camera in (GONE, FROZEN):
            if f'saksi_camera_recording{{camera="{camera}"}} 0.0' in metrics:
                self.seen.setdefault((camera, "metrics"), now())
        silent = [camera for camera in (GONE, FROZEN) if (camera, "health") in self.seen]
        if any((camera, "list") not in self.seen for camera in silent):
            for row in self.line("camera", "list").out.splitlines():
                assert "active" not in row
                if " silent (" in row:
                    self.seen.setdefault((row.split()[0], "list"), now())
        announced = sum(
            int(count)
            for _, message in tuple(self.box.taken)
            for count in re.findall(r"Jumlah kamera: (\d+)", message.get_content())
        )
        for camera in sorted(silent, key=lambda name: self.seen[name, "health"])[:announced]:
            self.seen.setdefault((camera, "notice"), now())
        return len(self.seen) == 8


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def going(tmp_path: Path) -> Script:
    """A camera that sends for longer than the test takes."""
    return script(material("h264-nob", LONG, FPS, tmp_path, gop=FPS), **STEADILY)


@pytest.fixture
def freezing(tmp_path: Path) -> Script:
    """One that keeps its connection and sends nothing more."""
    return script(material("h264-nob", SHORT, FPS, tmp_path, gop=FPS), then="silence", **STEADILY)


@in_time("within", WITHIN)
def test_a_pulled_plug_shows_everywhere_within_thirty_seconds(
    tmp_path: Path, box: Mailbox, going: Script, freezing: Script, within: float
) -> None:
    home = tmp_path / "site"
    home.mkdir()
    (home / "saksi.toml").write_text(NOTICES.format(port=box.port))
    recording = RecordingSite(home)
    pulled: dict[str, float] = {}
    with ExitStack() as stack:
        plug = stack.enter_context(ExitStack())
        gone = plug.enter_context(scripted_camera(going))
        frozen = stack.enter_context(scripted_camera(freezing))
        recording.add(GONE, gone.url, segment_seconds=2)
        recording.add(FROZEN, frozen.url, segment_seconds=2)
        recording.process = record(recording)
        stack.callback(recording.kill)
        site = stack.enter_context(recording.site())
        watched = Watched(site, reached(site), CommandLine(home, dict(settings_of(recording))), box)
        for camera in (FROZEN, GONE):
            until(lambda camera=camera: watched.are("recording", camera), f"{camera} is recorded", every=0.5)

        def note_end() -> None:
            frozen.finished.wait()
            pulled[FROZEN] = time.monotonic()

        ended = threading.Thread(target=note_end, daemon=True)
        ended.start()
        troubles: list[tuple[str, ArchiveError]] = []
        jobs = JobThreads(
            site, [all_jobs()["notices"]], tell=lambda name, error: troubles.append((name, error))
        )
        jobs.start()
        stack.callback(jobs.stop)
        pulled[GONE] = time.monotonic()
        plug.close()
        until(watched.look, f"all of it shows: {watched.seen}", every=0.5)
        ended.join(1)
        took = {what: round(at - pulled[what[0]], 1) for what, at in watched.seen.items()}
        assert {what: seconds for what, seconds in took.items() if seconds > within} == {}, took
        assert min(took.values()) > 0, took
        found = watched.health()
        assert found[GONE]["cause"] == "unreachable"
        assert found[FROZEN]["cause"] in ("stalled", "stream_error")
        jobs.stop()
        sent = len(box.taken)
        recording.kill()
        first = watched.started()
        recording.process = record(recording)
        until(lambda: watched.started() != first, "the next recorder reports", every=0.5)
        before = ("silent", found[GONE]["since"])
        until(lambda: watched.known(GONE) == before, "it knows since when", every=0.5)
        again = all_jobs()["notices"].begin(site)  # another worker, with the same memory
        again()
        assert again() == 0
        assert len(box.taken) == sent, "the same silence is one notice, also after a restart"
        assert troubles == []
    subjects = [str(message["Subject"]) for _, message in box.taken]
    assert 1 <= len(subjects) <= 2, "one for the first, one for both"
    assert all("kamera tidak terekam" in subject for subject in subjects)
    assert all(name not in str(message) for _, message in box.taken for name in (GONE, FROZEN))


def reached(site: Site) -> Caller:
    """A caller of the API over the site."""
    token = token_file(site).create("first", site.clock)
    services = services_of(site)
    services = replace(services, settings=replace(services.settings, hosts=(), rates=None))
    return Caller(create_app(services), {"Authorization": f"Bearer {token}"})


def settings_of(recording: RecordingSite) -> Iterator[tuple[str, str]]:
    """The site's own settings, for commands whose tables are not folded."""
    yield "COLUMNS", "200"
    for name, value in recording.variables.items():
        if name.startswith("SAKSI_") and name != "SAKSI_HOME":
            yield name, value
