"""A decoder under the control of a camera's bytes reaches no key, network, file or process."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.attended import Abandoned, while_wanted
from archive.clock import ManualClock
from archive.errors import NotFound, Unavailable
from archive.footage.confinement import launch
from archive.footage.confinement.running import Bounds, Ending, Measures, measures, run
from archive.footage.derive import StillMaker
from archive.objects.filesystem import FilesystemStore
from ops import doctor
from tests.support.command_line import CommandLine
from tests.support.recordings import T0, store_made

PYTHON = tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix))))

EVIL = """
import ctypes, json, os, socket, subprocess, sys

KEY, OPEN_KEY, FOLDER, PORT, UNIX, VICTIM, HELD = json.loads(PLACES)
libc = ctypes.CDLL(None, use_errno=True)
gained = {}

def tries(name):
    def trying(attempt):
        try:
            gained[name] = bool(attempt())
        except (OSError, subprocess.SubprocessError, MemoryError, ImportError) as error:
            gained[name] = False
    return trying

@tries("reads the key")
def _():
    return b"SECRET" in open(KEY, "rb").read()

@tries("reads a key that everybody may read")
def _():
    return b"SECRET" in open(OPEN_KEY, "rb").read()

@tries("lists the folder of the key")
def _():
    return os.listdir(os.path.dirname(KEY))

@tries("reads the environment of the process that seals")
def _():
    return b"SAKSI_TEST_SECRET" in open(f"/proc/{VICTIM}/environ", "rb").read()

@tries("reads its own environment")
def _():
    return "SAKSI_TEST_SECRET" in os.environ

@tries("opens the memory of the process that seals")
def _():
    return open(f"/proc/{VICTIM}/mem", "rb")

@tries("reads the memory of the process that seals")
def _():
    class Piece(ctypes.Structure):
        _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
    here = ctypes.create_string_buffer(8)
    local = Piece(ctypes.addressof(here), 8)
    for line in open(f"/proc/{VICTIM}/maps"):
        remote = Piece(int(line.split("-")[0], 16), 8)
        return libc.process_vm_readv(VICTIM, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) == 8

@tries("has a descriptor of the process that seals")
def _():
    return b"SECRET" in os.pread(HELD, 100, 0)

@tries("traces the process that seals")
def _():
    if libc.ptrace(0x4206, VICTIM, None, None) != 0:
        raise OSError
    return True

@tries("signals the process that seals")
def _():
    os.kill(VICTIM, 0)
    return True

@tries("connects by TCP")
def _():
    return socket.create_connection(("127.0.0.1", PORT), 2)

@tries("sends by UDP")
def _():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"SECRET", ("127.0.0.1", PORT))

@tries("connects to a socket in the file system")
def _():
    it = socket.socket(socket.AF_UNIX)
    it.connect(UNIX)
    return True

@tries("writes beside itself")
def _():
    return open(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "mine"), "wb", 0).write(b"x")

@tries("writes elsewhere")
def _():
    return open(os.path.join(FOLDER, "loot"), "wb", 0).write(b"x")

@tries("makes a folder")
def _():
    os.mkdir(os.path.join(FOLDER, "loot-folder"))
    return True

@tries("removes a file")
def _():
    os.unlink(os.path.join(FOLDER, "precious"))
    return True

@tries("opens a key to everybody")
def _():
    os.chmod(OPEN_KEY, 0o666)
    return True

@tries("starts a process")
def _():
    return subprocess.run(["/bin/echo", "hello"], capture_output=True).returncode == 0

@tries("forks")
def _():
    if os.fork() == 0:
        os._exit(0)
    return True

@tries("asks the kernel for a ring")
def _():
    params = ctypes.create_string_buffer(256)
    made = libc.syscall(425, 4, params)
    return made >= 0 or ctypes.get_errno() == 22

@tries("leaves its namespace")
def _():
    return libc.unshare(0x10000000) == 0

@tries("takes three gigabytes")
def _():
    return len(bytearray(3 << 30))

sys.stdout.buffer.write(b"\\xff\\xd8" + json.dumps(gained).encode())
"""


class Scene:
    """A machine with a key, a listening server, and another user's FFmpeg."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder = folder / "open"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        (self.folder / "precious").write_text("x")
        keys = folder / "keys"
        keys.mkdir()
        self.key = keys / "seal.key"
        self.key.write_bytes(b"SECRET")
        self.key.chmod(0o600)
        self.open_key = keys / "open.key"
        self.open_key.write_bytes(b"SECRET")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(folder / "unix"))
        self.unix.listen()
        self.victim = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            env={**os.environ, "SAKSI_TEST_SECRET": "1"},
        )
        self.held = os.dup(os.open(self.key, os.O_RDONLY))
        os.set_inheritable(self.held, True)
        self.program = self.script("evil", EVIL)

    def script(self, name: str, text: str) -> Path:
        places = [
            str(self.key), str(self.open_key), str(self.folder), self.server.getsockname()[1],
            self.unix.getsockname(), self.victim.pid, self.held,
        ]  # fmt: skip
        head = f"#!{sys.executable} -S\nPLACES = {json.dumps(places)!r}\n"
        path = self.folder.parent / name
        path.write_text(head + textwrap.dedent(text))
        path.chmod(0o755)
        return path

    def close(self) -> None:
        self.victim.kill()
        self.victim.communicate()
        self.server.close()
        self.unix.close()
        os.close(self.held)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("SAKSI_TEST_SECRET", "1")
    made = Scene(tmp_path)
    yield made
    made.close()


def require_landlock() -> None:
    if launch.ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        if os.environ.get("CI"):
            pytest.fail("this kernel has no Landlock")
        pytest.skip("this kernel has no Landlock")


def gained(out: bytes) -> set[str]:
    assert out.startswith(b"\xff\xd8"), out[-2000:]
    return {name for name, got in json.loads(out[2:]).items() if got}


def test_the_evil_program_does_all_that_where_nothing_stops_it(scene: Scene) -> None:
    done = subprocess.run([scene.program], capture_output=True, check=True, close_fds=False)
    missed = set(json.loads(done.stdout[2:])) - gained(done.stdout)
    as_root = {"traces the process that seals", "leaves its namespace"}
    by_kernel = {"takes three gigabytes", "asks the kernel for a ring"}
    assert missed <= by_kernel | (set() if os.geteuid() == 0 else as_root), missed


def test_the_evil_program_gains_nothing(scene: Scene) -> None:
    require_landlock()
    mode = scene.open_key.stat().st_mode & 0o777
    store = FilesystemStore(scene.folder.parent / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    still = StillMaker(scene.program, readable=PYTHON).keyframe(ref, store, T0, width=640)
    assert gained(still.jpeg) == set()
    assert {path.name for path in scene.folder.iterdir()} == {"precious"}
    assert scene.open_key.stat().st_mode & 0o777 == mode
    assert scene.victim.poll() is None


def test_without_landlock_the_filter_and_the_clean_start_still_hold(scene: Scene) -> None:
    """The exposure on a kernel without Landlock: files of the same account can be read, little else."""
    done = run_where_landlock_answers(38, scene)
    assert gained(done) <= {
        "reads the key", "reads a key that everybody may read", "lists the folder of the key",
        "reads the environment of the process that seals", "opens the memory of the process that seals",
        "makes a folder", "removes a file",
    }  # fmt: skip


def test_where_landlock_is_forbidden_nothing_runs(scene: Scene) -> None:
    assert b"allow its system calls" in run_where_landlock_answers(1, scene)


def run_where_landlock_answers(error: int, scene: Scene) -> bytes:
    """The output of a confined program under a filter that fails landlock_create_ruleset with an error."""
    text = f"""
    import ctypes, struct, sys
    sys.path.insert(0, {str(Path(__file__).parents[3])!r})
    from pathlib import Path
    from archive.footage.confinement.running import run
    code = b"".join(struct.pack("=HBBI", *one) for one in (
        (0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | {error}), (0x06, 0, 0, 0x7FFF0000)))
    held = ctypes.create_string_buffer(code, len(code))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, struct.pack("@HP", len(code) // 8, ctypes.addressof(held)), 0, 0) == 0
    done = run([{str(scene.program)!r}], b"", readable={list(map(str, PYTHON))!r})
    sys.stdout.buffer.write(done.out or done.err)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, check=True)
    return done.stdout


def test_a_program_whose_reader_left_is_ended(scene: Scene) -> None:
    program = scene.script("slow", "import time\ntime.sleep(60)")
    looks: list[int] = []

    def is_wanted() -> bool:
        looks.append(1)
        return len(looks) < 4

    began = time.monotonic()
    with while_wanted(is_wanted), pytest.raises(Abandoned):
        run([str(program)], b"", Bounds(seconds=50.0), readable=PYTHON)
    assert time.monotonic() - began < 25
    assert len(looks) == 4


def test_a_program_that_floods_sleeps_or_burns_is_ended(scene: Scene) -> None:
    bounds = Bounds(seconds=2.0, output=1 << 20)
    cases = {
        "flood": ("import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)", Ending.TOO_MUCH),
        "errors": ("import sys\nwhile True: sys.stderr.buffer.write(b'x' * 65536)", Ending.TOO_MUCH),
        "sleep": ("import time\ntime.sleep(60)", Ending.TOO_LONG),
        "silent": ("import os, time\nos.close(1); os.close(2); time.sleep(60)", Ending.TOO_LONG),
        "burn": ("while True: pass", Ending.TOO_LONG),
    }
    for name, (text, expected) in cases.items():
        begun = time.monotonic()
        done = run([str(scene.script(name, text))], b"y" * (4 << 20), bounds, readable=PYTHON)
        assert (name, done.ending) == (name, expected)
        assert time.monotonic() - begun < 15, name
        assert len(done.out) <= bounds.output


def test_input_that_is_not_read_is_no_fault(scene: Scene) -> None:
    deaf = scene.script("deaf", "import os\nos.close(0)\nos.write(1, b'done')")
    done = run([str(deaf)], b"y" * (4 << 20), readable=PYTHON)
    assert (done.ending, done.status, done.out) == (Ending.DONE, 0, b"done")


def test_all_that_is_given_arrives_and_all_that_is_said_comes_back(scene: Scene) -> None:
    echo = scene.script("echo", "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])")
    given = os.urandom(3 << 20)
    done = run([str(echo)], given, readable=PYTHON)
    assert (done.ending, done.status) == (Ending.DONE, 0)
    assert done.out == given[::-1]


def test_a_picture_that_is_too_large_is_none(scene: Scene) -> None:
    flood = scene.script(
        "flooding", "import sys\nwhile True: sys.stdout.buffer.write(b'\\xff\\xd8' + b'x' * 65536)"
    )
    store = FilesystemStore(scene.folder.parent / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    with pytest.raises(NotFound) as caught:
        StillMaker(flood, readable=PYTHON).keyframe(ref, store, T0, width=640)
    assert caught.value.code == "no_picture"


def test_a_script_cannot_be_a_decoder_since_it_may_start_no_other_program(scene: Scene) -> None:
    require_landlock()
    store = FilesystemStore(scene.folder.parent / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    with pytest.raises(Unavailable) as caught:
        StillMaker(scene.program).keyframe(ref, store, T0, width=640)
    assert caught.value.code == "ffmpeg_missing"


def test_many_at_once_do_not_disturb_one_another(scene: Scene) -> None:
    echo = scene.script("echo2", "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())")
    found: dict[int, bytes] = {}

    def one(number: int) -> None:
        found[number] = run([str(echo)], bytes([number]) * 100_000, readable=PYTHON).out

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: bytes([number]) * 100_000 for number in range(8)}


def test_measures_are_what_a_confined_process_finds(scene: Scene) -> None:
    require_landlock()
    found = measures(scene.open_key)
    assert found is not None
    assert found.whole
    assert (found.reads, found.connects) == (False, False)


def test_refused_calls_have_the_numbers_of_the_headers() -> None:
    headers = [*Path("/usr/include").glob("*/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")]
    if len(headers) < 2 or not headers[-1].exists():
        pytest.skip("the kernel's headers are not installed here")
    tables = [
        {
            int(words[2]): words[1].removeprefix("__NR3264_").removeprefix("__NR_")
            for line in header.read_text().splitlines()
            if line.startswith("#define __NR") and len(words := line.split()) == 3 and words[2].isdigit()
        }
        for header in (headers[0], headers[-1])
    ]
    for first, second in launch._REFUSED:
        if second is not None and first in tables[0] and second in tables[1]:
            assert tables[0][first] == tables[1][second]


def test_a_process_that_holds_a_key_is_read_by_nobody_and_leaves_no_core() -> None:
    text = (
        f"import ctypes, sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "from archive.footage.confinement.shielding import shield\n"
        "before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "print(before, shield(), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, check=True)
    assert done.stdout.decode().split() == ["1", "True", "0"]


def test_doctor_says_what_the_kernel_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Site:
        class settings:
            keys_dir = tmp_path

    def told(found: Measures | None) -> tuple[str, str]:
        monkeypatch.setattr(doctor, "measures", lambda path: found)
        (said,) = doctor._decoder(Site())  # type: ignore[arg-type]
        return said.light.value, said.message

    whole = Measures(landlock=7, seccomp=True, nobody=False, reads=False, connects=False)
    assert told(whole)[0] == "green"
    for lacking, light, word in (
        (replace(whole, landlock=0, reads=True), "amber", "Landlock (files)"),
        (replace(whole, landlock=4), "amber", "signals"),
        (replace(whole, seccomp=False, connects=True), "amber", "seccomp"),
        (replace(whole, reads=True), "red", "could read"),
        (None, "red", "cannot be confined"),
    ):
        found = told(lacking)
        assert found[0] == light
        assert word in found[1]


def test_doctor_tries_it_on_the_seal_key_itself(tmp_path: Path) -> None:
    require_landlock()
    saksi = CommandLine(tmp_path / "home")
    saksi.must("keys", "init")
    said = json.loads(saksi("doctor", "--json").out)["diagnoses"]
    assert [one["light"] for one in said if one["subject"] == "decoder"] == ["green"]
