"""``saksi-verify.pyz`` as a recipient runs it: one file, an isolated Python, none of our packages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archive.clock import SystemClock
from ops import keys as installation
from ops import pyz
from tests.support.packages import World, make_world
from tests.support.programs import required


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    required("openssl")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"), now=SystemClock().now())
    made.zip()
    return made


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dist") / pyz.NAME
    pyz.write(path)
    return path


def run(program: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path or "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), *arguments],
        capture_output=True,
        text=True,
        cwd=program.parent,
        env=environment,
        timeout=120,
        check=False,
    )


def given(world: World) -> list[str]:
    shown = installation.show(world.keys, tsa_url="")
    return [
        str(world.folder / f"{world.plan.evidence_id}.zip"),
        "--trust", str(world.keys / "root.pem"), "--signer", shown.signer_sha256,
        "--log-key", world.trust.log_sha256 or "",
    ]  # fmt: skip


def test_a_good_package_is_valid_and_nothing_is_found(world: World, program: Path) -> None:
    done = run(program, *given(world), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["findings"]) == ("valid", [])
    assert told["tagmanifest_sha256"] == world.verify(Path(given(world)[0])).tagmanifest_sha256


def test_it_runs_by_its_own_first_line(world: World, program: Path) -> None:
    done = subprocess.run(
        [str(program), *given(world)], capture_output=True, text=True, timeout=120, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert "SAH / VALID" in done.stdout


def test_without_openssl_on_the_machine_it_is_not_valid(world: World, program: Path, tmp_path: Path) -> None:
    done = run(program, *given(world), path=str(tmp_path))
    assert done.returncode == 3
    assert "BELUM DIPERIKSA" in done.stdout
    assert "not installed" in done.stderr


def test_a_changed_package_is_not_valid(world: World, program: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.zip"
    data = bytearray(Path(given(world)[0]).read_bytes())
    at = data.index(b"mdat") + 200
    data[at] ^= 1
    changed.write_bytes(data)
    done = run(program, str(changed), *given(world)[1:])
    assert done.returncode == 1
    assert "[payload_altered]" in done.stdout


def test_it_says_what_is_no_package(program: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"hello")
    done = run(program, str(tmp_path / "x.zip"), "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "bad_package"


def test_a_broken_pipe_and_an_ascii_terminal_end_it_quietly(world: World, program: Path) -> None:
    command = f"'{sys.executable}' -I -S '{program}' {' '.join(given(world))} | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_memory_stays_small_whatever_the_size(world: World, program: Path, tmp_path: Path) -> None:
    """Two packages, the larger of 190 MB: the peak may grow by a few buffers, not by the footage."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak is read from /proc")
    peaks = []
    for name, size in (("small", 10_000), ("large", 33_000_000)):
        made = make_world(tmp_path / name, now=SystemClock().now(), segment_size=size)
        path = made.zip()
        script = (
            "import sys, runpy\n"
            f"sys.argv = ['x', {str(path)!r}, '--trust', {str(made.keys / 'root.pem')!r}]\n"
            f"try: runpy.run_path({str(program)!r}, run_name='__main__')\n"
            "except SystemExit as end: assert end.code == 0, end.code\n"
            "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < 48 * 1024, peaks
