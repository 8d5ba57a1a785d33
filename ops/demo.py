"""``make demo``: the main job, end to end, on the embedded default, with the commands shown as they run.

Three cameras record for about forty seconds; one of them is cut off for a few seconds. Then the demo shows:
the picture of coverage with the gap and its cause, an exact clip across a segment border, a sealed package of
two cameras, its verification by Saksi and by ``openssl`` and ``sha256sum``, a tampered copy that is caught, a
legal hold, a retention policy that waits for a second admin, and the tamper-evident log.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, Unavailable
from archive.persons import names_person
from archive.timespan import DAY, SECOND, Timespan, format_instant, parse_instant
from ops.demo_people import announcement, invite_people
from ops.host_person import HostDirectory, host_actor, this_process
from ops.stack import Places, Stack
from recorder.binary import find_ffmpeg

HOST, PORT = "127.0.0.1", 8480
DISTRICT = "73.71.05"
RECORD_SECONDS = 40
CUT_AFTER, CUT_FOR = 14, 8
MARKER = ".saksi-demo"
PROPOSED = f"kecamatan:{DISTRICT}"
"""Whose retention the demo shortens. While that waits for a second person, no other can be tried."""


@dataclass(slots=True)
class Demo:
    """One run in one folder of its own."""

    folder: Path
    serve: bool
    port: int = PORT

    def run(self) -> None:
        """Run all steps. Raises ArchiveError if a step does not show what it must."""
        self._fresh_folder()
        title("1  A new installation, keys for development, and three cameras")
        self.saksi("init")
        self.saksi("keys", "init")
        third = self._third_camera()
        add = self._add
        add("alun-alun", "test://?size=640x360&fps=15&gop=30", "Alun-alun Karebosi", "-5.1346", "119.4127")
        add(
            "pasar-baru", "test://?size=640x360&fps=15&gop=30&codec=hevc", "Pasar Baru", "-5.1290", "119.4073"
        )
        add("balai-kota", third.source, "Balai Kota", "-5.1354", "119.4119")
        title(f"2  Record for {RECORD_SECONDS} s; balai-kota is cut off for {CUT_FOR} s")
        started = time.time_ns() // 1000
        self._record(third)
        ended = time.time_ns() // 1000
        title("3  Coverage, gaps, and their causes")
        edges = ("--from", format_instant(started), "--to", format_instant(ended))
        self.saksi("recordings", *edges)
        found = self.answer("recordings", *edges)
        gaps = [gap for gap in found["gaps"] if gap["camera"] == "balai-kota"]
        if not any(gap["cause"] in {"unreachable", "stream_error", "stalled"} for gap in gaps):
            raise Unavailable("the cut is not recorded as a gap", code="demo_failed")
        title("4  An exact clip across a segment border, and a sealed package of two cameras")
        start, end = self._across_a_border(found)
        clip = self.folder / "clip-alun-alun.mp4"
        span = ("--from", start, "--to", end)
        self.saksi("clip", "--camera", "alun-alun", *span, "-o", str(clip), "--purpose", "demo")
        package = self.folder / "evidence.zip"
        cameras = ("--camera", "alun-alun", "--camera", "balai-kota")
        self.saksi("seal", *cameras, *edges, "--case", "LP/B/1/XI/2026/DEMO", "-o", str(package))
        title("5  Verify: with Saksi, then with only openssl and sha256sum")
        keys = self.answer("keys", "show")
        self.saksi("verify", str(package), "--trust", keys["trust_root"], "--signer", keys["signer_sha256"])
        self._verify_by_hand(package, Path(keys["trust_root"]))
        title("6  Tamper with a copy: one byte of one original")
        tampered = self._tamper(package)
        code = self.saksi(
            "verify",
            str(tampered),
            "--trust",
            keys["trust_root"],
            "--signer",
            keys["signer_sha256"],
            allow={1},
        )
        if code != 1:
            raise Unavailable("the tampered copy was not caught", code="demo_failed")
        title("7  A legal hold, a retention policy, and the log")
        review = format_instant(ended + 30 * DAY)
        about = ("--case", "LP/B/1/XI/2026/DEMO", "--owner", "Polrestabes", "--basis", "UU 20/2025")
        self.saksi("hold", "place", "--camera", "alun-alun", *edges, *about, "--review-at", review)
        terms = ("--min", "30", "--max", "60", "--basis", "Perwali 4/2017", "--reason", "demo")
        self._propose(terms)
        self.saksi("log", "make")
        self.saksi("log", "verify", "--all", "--trust", keys["trust_root"])
        self.saksi("archive", "check", "--deep")
        title("Done")
        say(f"Everything is in {self.folder.name}/: the clip, the package, and the archive under home/.")
        if self.serve:
            self._serve(started, ended)

    def _propose(self, terms: Sequence[str]) -> None:
        """Propose a shorter retention as the person who runs the demo; plain root is refused."""
        is_known = names_person(host_actor(this_process(), HostDirectory(), os.environ).id)
        self.saksi("retention", "propose", PROPOSED, *terms, allow={0 if is_known else 2})
        if not is_known:
            say("  That is right: a shortening takes two people, and this account does not name a person.")

    # Steps ---------------------------------------------------------------------------------------------

    def _fresh_folder(self) -> None:
        if self.folder.exists() and not (self.folder / MARKER).exists():
            raise Unavailable(
                f"{self.folder.name} exists and was not made by the demo",
                code="demo_failed",
                hint="Move it away.",
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / MARKER).touch()

    def _add(self, name: str, source: str, title_: str, lat: str, lon: str) -> None:
        place = ("--lat", lat, "--lon", lon, "--kecamatan", DISTRICT, "--kelurahan", f"{DISTRICT}.1001")
        rest = ("--owner", "public", "--view", "public", "--segment-seconds", "5")
        self.saksi("camera", "add", name, "--source", source, "--name", title_, *place, *rest)

    def _third_camera(self) -> "CutCamera":
        """An RTSP camera if MediaMTX runs, else a replayed recording."""
        sample = self.folder / "sample.mp4"
        make_sample(sample)
        rtsp = os.environ.get("SAKSI_TEST_RTSP_URL") or running_rtsp()
        path = f"saksi-demo-{os.getpid()}"
        if rtsp:
            say(f"MediaMTX answers: the third camera is {rtsp}/{path}")
            return PublishedCamera(f"{rtsp}/{path}", sample)
        say(
            "MediaMTX does not run here (saksi stack up would start it): the third camera replays a recording"
        )
        return ReplayedCamera(sample)

    def _record(self, third: "CutCamera") -> None:
        third.connect()
        argv = (sys.executable, "-m", "ops", "record", "--for", f"{RECORD_SECONDS}s")
        say(f"$ saksi record --for {RECORD_SECONDS}s 2> record.log")
        log = self.folder / "record.log"
        with (
            log.open("wb") as lines,
            subprocess.Popen(argv, env=self._environment(), stderr=lines) as recording,
        ):
            try:
                wait_with_picture(CUT_AFTER, recording)
                say("  … the third camera is cut off")
                third.cut(recording.pid)
                wait_with_picture(CUT_FOR, recording)
                say("  … the third camera is back")
                third.connect()
                code = recording.wait(RECORD_SECONDS + 60)
            finally:
                third.close()
                if recording.poll() is None:
                    recording.terminate()
        if code != 0:
            raise Unavailable(
                f"recording ended with code {code}", code="demo_failed", hint=f"See {log.name}."
            )

    def _across_a_border(self, found: dict[str, Any]) -> tuple[str, str]:
        """Seven seconds of the first camera's footage, at odd instants, across a border of 5 s segments."""
        stretch = max(
            (part for part in found["coverage"] if part["camera"] == "alun-alun"),
            key=lambda part: parse_instant(part["to"]) - parse_instant(part["from"]),
        )
        middle = (parse_instant(stretch["from"]) + parse_instant(stretch["to"])) // 2
        return format_instant(middle - 3_456_789), format_instant(middle - 3_456_789 + 7 * SECOND)

    def _verify_by_hand(self, package: Path, trust: Path) -> None:
        missing = [program for program in ("openssl", "sha256sum") if shutil.which(program) is None]
        if missing:
            say(f"({', '.join(missing)} is not installed here: skipped)")
            return
        unpacked = self.folder / "unpacked"
        with zipfile.ZipFile(package) as archive:
            archive.extractall(unpacked)
        bag = next(unpacked.iterdir())
        seal = "signatures/tagmanifest-sha256.txt.p7s"
        commands = (
            "sha256sum --check --strict --quiet tagmanifest-sha256.txt",
            "sha256sum --check --strict --quiet manifest-sha256.txt",
            "openssl cms -verify -cades -binary -no-CApath -no-CAstore -inform DER "
            f"-in {seal} -content tagmanifest-sha256.txt -CAfile {trust} -out /dev/null",
            f"openssl ts -verify -data {seal} -in {seal}.tsr -CAfile {trust}",
        )
        for command in commands:
            say(f"$ {command.replace(str(trust), trust.name)}")
            done = subprocess.run(command.split(), cwd=bag, capture_output=True, text=True, check=False)
            say(f"  {verdict_in(done.stderr + done.stdout)}")
            if done.returncode != 0:
                raise Unavailable(f"{command.split()[0]} does not accept the package", code="demo_failed")

    def _tamper(self, package: Path) -> Path:
        target = package.with_name("tampered.zip")
        raw = bytearray(package.read_bytes())
        with zipfile.ZipFile(package) as archive:
            first = next(i for i in archive.infolist() if "/data/original/" in i.filename)
        raw[first.header_offset + 30 + len(first.filename) + first.file_size // 2] ^= 1
        target.write_bytes(raw)
        say(f"One bit of {first.filename.rsplit('/', 1)[1]} is flipped.")
        return target

    def announce(self, started: int, ended: int) -> None:
        """Invite an officer, an operator and an admin, and say where to sign in and what to try."""
        invited = invite_people(
            self.folder / "home", founder=host_actor(this_process(), HostDirectory(), os.environ).id
        )
        for line in announcement(f"http://{HOST}:{self.port}/", invited, Timespan(started, ended + SECOND)):
            say(line)

    def _serve(self, started: int, ended: int) -> None:
        title("8  Serving; stop with Ctrl-C")
        third = self._third_camera()
        self.announce(started, ended)
        third.connect()
        argv = (sys.executable, "-m", "ops", "up", "--host", HOST, "--port", str(self.port))
        with subprocess.Popen(argv, env=self._environment()) as serving:
            try:
                if wait_until_it_answers(f"http://{HOST}:{self.port}/healthz", serving):
                    say(f"It answers: http://{HOST}:{self.port}/")
                serving.wait()
            except KeyboardInterrupt:
                say("Stopped.")
            finally:
                serving.terminate()
                third.close()

    # The command line ----------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith("SAKSI_") or k.startswith("SAKSI_STACK_")
        }
        return kept | {
            "SAKSI_HOME": str(self.folder / "home"),
            "SAKSI_CAMERA_NETWORKS": "127.0.0.0/8",
            "SAKSI_CAMERA_FOLDERS": str(self.folder.absolute()),
        }

    def saksi(self, *words: str, allow: Sequence[int] | set[int] = (0,)) -> int:
        """Run a command and show its output; an exit code outside ``allow`` ends the demo."""
        say("$ saksi " + " ".join(shorten(word, self.folder) for word in words))
        argv = (sys.executable, "-m", "ops", *words)
        code = subprocess.run(argv, env=self._environment(), check=False).returncode
        if code not in allow:
            raise Unavailable(f"saksi {words[0]} ended with code {code}", code="demo_failed")
        return code

    def answer(self, *words: str) -> dict[str, Any]:
        """The JSON answer of a command."""
        argv = (sys.executable, "-m", "ops", *words, "--json")
        done = subprocess.run(argv, env=self._environment(), capture_output=True, check=False)
        if done.returncode != 0:
            raise Unavailable(
                f"saksi {words[0]} ended with code {done.returncode}: {done.stderr.decode(errors='replace')}",
                code="demo_failed",
            )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


class CutCamera:
    """A camera that can be cut off and connected again."""

    source: str

    def connect(self) -> None:
        """Make the camera reachable."""
        raise Unavailable("this demo camera does not implement connect", code="demo_failed")

    def cut(self, recorder_pid: int) -> None:
        """Make the camera unreachable."""

    def close(self) -> None:
        """Stop every process of the camera."""


class PublishedCamera(CutCamera):
    """A sample published to an RTSP server; cut off by ending the publisher."""

    def __init__(self, url: str, sample: Path) -> None:
        self.source = url
        self._sample = sample
        self._publisher: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Publish in a loop, in real time."""
        argv = [str(find_ffmpeg().path), "-v", "error", "-re", "-stream_loop", "-1", "-i", str(self._sample)]
        argv += ["-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp", self.source]
        self._publisher = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        time.sleep(1.0)  # the server announces the path once it has the publisher's first packets

    def cut(self, recorder_pid: int) -> None:
        """End the publisher."""
        self.close()

    def close(self) -> None:
        """End the publisher and wait for it."""
        if self._publisher is not None:
            self._publisher.terminate()
            self._publisher.wait(10)
            self._publisher = None


class ReplayedCamera(CutCamera):
    """A sample replayed from disk; cut off by taking it away and ending the FFmpeg that reads it."""

    def __init__(self, sample: Path) -> None:
        self._sample = sample
        self._away = sample.with_suffix(".away")
        self.source = sample.absolute().as_uri()

    def connect(self) -> None:
        """Put the sample back."""
        if self._away.exists():
            self._away.rename(self._sample)

    def cut(self, recorder_pid: int) -> None:
        """Take the sample away."""
        self._sample.rename(self._away)
        for pid in readers_of(self._sample, recorder_pid):
            os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Put the sample back, so that the folder is complete."""
        self.connect()


def readers_of(sample: Path, parent: int) -> list[int]:
    """The child processes of ``parent`` that were started on the sample."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            argv = (entry / "cmdline").read_bytes()
            ppid = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it ended while we looked
        if ppid == parent and os.fsencode(sample.name) in argv:
            found.append(int(entry.name))
    return found


def make_sample(path: Path) -> None:
    """A ten-second loop with B-frames, as a camera might send it."""
    lavfi = "testsrc2=size=640x360:rate=15:duration=10"
    argv = [str(find_ffmpeg().path), "-v", "error", "-y", "-f", "lavfi", "-i", lavfi]
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def running_rtsp() -> str:
    """The RTSP address of this machine's stack, or ""."""
    places = Places.from_environment()
    stack = Stack(places.state_dir, places.cache_dir, ports=places.ports)
    if not any(s.name == "mediamtx" and s.state == "running" for s in stack.status()):
        return ""
    return stack.env().get("SAKSI_TEST_RTSP_URL", "")


def wait_with_picture(seconds: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait up to ``seconds``, or until the process ends."""
    for _ in range(seconds):
        if process.poll() is not None:
            return
        time.sleep(1)


def wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until an address of ours answers; False if the process ends before."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def verdict_in(said: str) -> str:
    """The line of ``openssl`` or ``sha256sum`` that states the verdict; nothing at all is their OK."""
    lines = [line for line in said.splitlines() if not line.startswith("Using configuration from")]
    return lines[-1] if lines else "OK"


def shorten(word: str, folder: Path) -> str:
    """A word of a command as a person would type it."""
    word = word.replace(f"{folder}/", "")
    return f"'{word}'" if any(c in word for c in " ?&") else word


def title(text: str) -> None:
    """A heading."""
    say(f"\n── {text} " + "─" * max(4, 76 - len(text)))


def say(text: str) -> None:
    """Print one line at once, so that it precedes the output of the next command."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the demo; exit 1 if it did not show what it must."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="stay up afterwards")
    parser.add_argument("--port", type=int, default=PORT, help="where the console answers")
    parser.add_argument("--folder", type=Path, default=Path("demo-output"))
    options = parser.parse_args()
    try:
        Demo(options.folder.absolute(), options.serve, options.port).run()
    except ArchiveError as error:
        sys.stderr.write(f"demo: {error.message} [{error.code}] {error.hint}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
