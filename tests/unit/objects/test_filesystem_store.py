"""The file system store beyond the conformance suite: crashes, damage, the clock, processes."""

import errno
import hashlib
import itertools
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import (
    AlreadyExists,
    ArchiveError,
    IntegrityError,
    Malformed,
    NotFound,
    Refused,
    StoreFull,
    Unavailable,
)
from archive.objects.filesystem import FilesystemStore, durable
from archive.objects.filesystem.checking import LASTING, SETTLED, Comparisons
from archive.ports import Content, Lock, LockMode
from archive.timespan import DAY, SECOND
from tests.support import stores
from tests.support.stores import child_environment, refused_with
from tests.support.waiting import until

small_disk = stores.small_disk

START = 1_800_000_000 * SECOND
KEY = "segments/cam-1/2026/11/24/06/a.mp4"
BODY = bytes(range(256)) * 4096
STEPS = ("open", "write", "fsync", "fchmod", "mkdir", "rename", "link", "unlink", "rmdir", "close")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def quick_root() -> Iterator[Path]:
    """A folder in memory if possible, because the crash tests make hundreds of stores."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def store(root: Path, clock: ManualClock) -> FilesystemStore:
    return FilesystemStore(root, clock)


def sidecar(root: Path, key: str = KEY) -> Path:
    path = root / key
    return path.parent / f".{path.name}.sidecar"


def debris(root: Path) -> list[str]:
    folder = root / ".incoming"
    return os.listdir(folder) if folder.exists() else []


def fill(path: Path) -> None:
    """Fill the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)


def crash_at(step: int, act: Callable[[], object]) -> bool:
    """Run ``act`` in a child that dies before its ``step``-th system call; False if it completes."""
    child = os.fork()
    if child == 0:
        counter = itertools.count()

        def counted(call: Callable[..., object]) -> Callable[..., object]:
            def run(*args: object, **options: object) -> object:
                if next(counter) == step:
                    os._exit(9)
                return call(*args, **options)

            return run

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            act()
        except BaseException:
            os._exit(1)
            raise
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), "the act itself failed"
    return code == 9


class TestCrashes:
    def test_a_put_cut_short_anywhere(self, quick_root: Path, clock: ManualClock) -> None:
        lock = Lock(LockMode.GOVERNANCE, START + DAY)
        content = Content.of_bytes(BODY)
        invisible = visible = 0
        for step in itertools.count():
            place = quick_root / str(step)
            store = FilesystemStore(place, clock)
            crashed = crash_at(
                step,
                lambda: store.put(KEY, content, metadata={"n": "1"}, lock=lock, hold=True),  # noqa: B023
            )
            store = FilesystemStore(place, clock)
            assert debris(place) == [], "the next start sweeps"
            listed = list(store.list(""))
            if listed:
                visible += 1
                assert store.get(KEY) == BODY
                head = store.head(KEY)
                assert (head.metadata, head.lock, head.held) == ({"n": "1"}, lock, True)
            else:
                invisible += 1
                with pytest.raises(NotFound):
                    store.head(KEY)
            again = store.put(KEY, content, metadata={"n": "1"}, lock=lock, hold=True)
            assert again.created is not bool(listed)
            assert store.get(KEY) == BODY
            assert store.head(KEY).held
            if not crashed:
                break
        assert invisible > 20
        assert visible > 3

    def test_a_put_cut_short_does_not_bind_a_rival(self, quick_root: Path, clock: ManualClock) -> None:
        lock = Lock(LockMode.GOVERNANCE, START + DAY)
        for step in itertools.count():
            place = quick_root / str(step)
            store = FilesystemStore(place, clock)
            crashed = crash_at(
                step,
                lambda: store.put("a/1.json", Content.of_bytes(b"mine"), lock=lock, hold=True),  # noqa: B023
            )
            present = bool(list(store.list("")))
            if present:
                refused_with(
                    AlreadyExists,
                    "already_exists",
                    lambda: store.put("a/1.json", Content.of_bytes(b"rival")),  # noqa: B023
                )
            else:
                assert store.put("a/1.json", Content.of_bytes(b"rival")).created
                head = store.head("a/1.json")
                assert (head.lock, head.held) == (None, False)
                assert store.get("a/1.json") == b"rival"
            if not crashed:
                break

    def test_a_deletion_cut_short_anywhere(self, quick_root: Path, clock: ManualClock) -> None:
        content = Content.of_bytes(BODY)
        for step in itertools.count():
            place = quick_root / str(step)
            store = FilesystemStore(place, clock)
            store.put(KEY, content)
            crashed = crash_at(step, lambda: store.delete_version(KEY, version=content.sha256))  # noqa: B023
            store = FilesystemStore(place, clock)
            if list(store.list("")):
                assert store.get(KEY) == BODY
            else:
                with pytest.raises(NotFound):
                    store.get(KEY)
            store.delete_version(KEY, version=content.sha256)
            assert list(store.list("")) == []
            assert not sidecar(place).exists()
            assert store.put(KEY, content).created
            if not crashed:
                break

    def test_a_hold_cut_short_is_placed_or_not(self, quick_root: Path, clock: ManualClock) -> None:
        content = Content.of_bytes(b"1")
        seen = set()
        for step in itertools.count():
            place = quick_root / str(step)
            store = FilesystemStore(place, clock)
            store.put(KEY, content, metadata={"n": "1"})
            crashed = crash_at(step, lambda: store.place_hold(KEY, version=content.sha256))  # noqa: B023
            head = store.head(KEY)
            seen.add(head.held)
            assert head.metadata == {"n": "1"}
            store.place_hold(KEY, version=content.sha256)
            assert store.head(KEY).held
            if not crashed:
                break
        assert seen == {False, True}

    def test_each_step_is_durable_before_the_next(
        self, store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.put("segments/cam-1/2026/11/24/06/first.mp4", Content.of_bytes(b"makes the folders"))
        events: list[str] = []

        def watched(name: str) -> None:
            call = getattr(os, name)

            def run(target: object, *args: object, **options: object) -> object:
                kind = name
                if name == "fsync":
                    mode = os.fstat(target).st_mode  # type: ignore[arg-type]
                    kind = "fsync folder" if stat.S_ISDIR(mode) else "fsync"
                events.append(kind)
                return call(target, *args, **options)

            monkeypatch.setattr(os, name, run)

        for name in ("fsync", "rename", "link", "unlink"):
            watched(name)
        store.put(KEY, Content.of_bytes(BODY))
        assert [event for event in events if event != "unlink"] == [
            "fsync",  # the object's bytes
            "fsync",  # the sidecar's
            "rename",
            "fsync folder",
            "link",
            "fsync folder",
        ]
        assert events[-1] == "unlink"
        events.clear()
        store.delete_version(KEY, version=hashlib.sha256(BODY).hexdigest())
        assert events == ["unlink", "fsync folder", "unlink", "fsync folder"]

    def test_what_was_protected_is_protected_when_it_is_put_back(
        self, store: FilesystemStore, root: Path
    ) -> None:
        lock = Lock(LockMode.GOVERNANCE, START + DAY)
        content = Content.of_bytes(BODY)
        store.put(KEY, content, lock=lock, hold=True)
        (root / KEY).unlink()
        with pytest.raises(NotFound):
            store.head(KEY)
        assert list(store.list("")) == []
        assert store.put(KEY, content).created
        head = store.head(KEY)
        assert (head.lock, head.held) == (lock, True)

    def test_work_in_progress_is_not_swept(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(b"1"))
        with durable.temporary(os.fspath(root)):
            (root / ".incoming" / "left-by-a-crash").write_bytes(b"half")
            assert durable.sweep(os.fspath(root)) == 1
            assert len(debris(root)) == 1
        assert debris(root) == []


class TestDamage:
    @pytest.mark.parametrize("size", [0, 1, len(BODY) - 1, len(BODY) + 1])
    def test_another_size(self, store: FilesystemStore, root: Path, size: int) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        (root / KEY).chmod(0o600)
        os.truncate(root / KEY, size)
        for act in self.every_read(store):
            refused_with(IntegrityError, "object_altered", act)
        refused_with(IntegrityError, "object_altered", lambda: store.put(KEY, Content.of_bytes(BODY)))

    def test_other_bytes_of_the_same_size(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        (root / KEY).chmod(0o600)
        with (root / KEY).open("r+b") as object_file:
            object_file.seek(1000)
            object_file.write(b"\xff\x00\xff")
        refused_with(IntegrityError, "object_altered", lambda: store.get(KEY))

    @pytest.mark.parametrize("at", [0, 1000, len(BODY) - 1])
    def test_no_part_leaves_an_object_with_other_bytes(
        self, store: FilesystemStore, root: Path, at: int
    ) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        assert b"".join(store.stream(KEY, 5, 100)) == BODY[5:105]
        assert store.read(KEY, 5, 100) == BODY[5:105]
        before = (root / KEY).stat()
        (root / KEY).chmod(0o600)

        def alter() -> bool:
            with (root / KEY).open("r+b") as object_file:
                object_file.seek(at)
                object_file.write(bytes([BODY[at] ^ 1]))
            os.utime(root / KEY, ns=(before.st_atime_ns, before.st_mtime_ns))
            return (root / KEY).stat().st_ctime_ns != before.st_ctime_ns

        until(alter, "the system's time has gone on since it was stored")
        for start, length in ((5, 100), (0, 100), (500_000, None)):
            refused_with(
                IntegrityError,
                "object_altered",
                lambda start=start, length=length: store.stream(KEY, start, length),
            )
        refused_with(IntegrityError, "object_altered", lambda: store.read(KEY, 5, 100))
        assert len(b"".join(store.stream(KEY))) == len(BODY), "who reads the whole compares it"
        assert len(store.read(KEY, 0, 100)) == 100, "heads are checked by their own rules"

    def test_what_was_compared_is_compared_again_after_a_while(
        self, store: FilesystemStore, root: Path, clock: ManualClock
    ) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        compared = Comparisons(clock, most=1)
        wrong = "0" * 64

        def compare(key: str, sha256: str) -> None:
            descriptor = os.open(root / key, os.O_RDONLY)
            try:
                compared.check(descriptor, key, sha256)
            finally:
                os.close(descriptor)

        refused_with(IntegrityError, "object_altered", lambda: compare(KEY, wrong))
        compare(KEY, hashlib.sha256(BODY).hexdigest())
        clock.advance(LASTING - 1)
        compare(KEY, wrong)  # not compared again
        clock.advance(1)
        refused_with(IntegrityError, "object_altered", lambda: compare(KEY, wrong))
        compare(KEY, hashlib.sha256(BODY).hexdigest())
        store.put(f"{KEY}.2", Content.of_bytes(b"2"))
        compare(f"{KEY}.2", hashlib.sha256(b"2").hexdigest())
        refused_with(IntegrityError, "object_altered", lambda: compare(KEY, wrong))

    def test_what_was_changed_just_now_is_not_remembered(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        stored_at = (root / KEY).stat().st_ctime_ns // 1000
        descriptor = os.open(root / KEY, os.O_RDONLY)
        try:
            for passed, is_remembered in ((SETTLED - 1, False), (SETTLED + 1, True)):
                compared = Comparisons(ManualClock(stored_at + passed))
                compared.check(descriptor, KEY, hashlib.sha256(BODY).hexdigest())
                if is_remembered:
                    compared.check(descriptor, KEY, "0" * 64)
                else:
                    refused_with(
                        IntegrityError,
                        "object_altered",
                        lambda compared=compared: compared.check(descriptor, KEY, "0" * 64),
                    )
        finally:
            os.close(descriptor)

    def test_torn_while_it_is_read(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(bytes(3 << 20)))
        stream = store.stream(KEY)
        next(stream)
        (root / KEY).chmod(0o600)
        os.truncate(root / KEY, (1 << 20) + 5)
        refused_with(IntegrityError, "object_altered", lambda: list(stream))

    def test_the_sidecar_is_gone(self, store: FilesystemStore, root: Path) -> None:
        version = store.put(KEY, Content.of_bytes(BODY)).version
        sidecar(root).unlink()
        for act in (
            *self.every_read(store),
            lambda: store.put(KEY, Content.of_bytes(BODY)),
            lambda: store.delete_version(KEY, version=version),
            lambda: store.place_hold(KEY, version=version),
        ):
            refused_with(IntegrityError, "sidecar_missing", act)
        assert (root / KEY).read_bytes() == BODY
        (listed,) = store.list("")
        assert (listed.key, listed.version, listed.size) == (KEY, "", len(BODY))

    @pytest.mark.parametrize(
        "damage",
        [
            b"",
            b"{}",
            b"\xff",
            b"[1]",
            b'{"v":2}',
            b'{"held":false,"key":"other","lock":null,"metadata":{},"sha256":"","size":1,"stored_at":1,"v":1}',
        ],
    )
    def test_the_sidecar_is_damaged(self, store: FilesystemStore, root: Path, damage: bytes) -> None:
        version = store.put(KEY, Content.of_bytes(BODY)).version
        sidecar(root).chmod(0o600)
        sidecar(root).write_bytes(damage)
        for act in (
            *self.every_read(store),
            lambda: store.put(KEY, Content.of_bytes(BODY)),
            lambda: store.delete_version(KEY, version=version),
        ):
            refused_with(IntegrityError, "sidecar_damaged", act)
        assert (root / KEY).read_bytes() == BODY

    def test_a_sidecar_of_another_object(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        store.put("segments/cam-1/2026/11/24/06/b.mp4", Content.of_bytes(bytes(len(BODY))))
        other = sidecar(root, "segments/cam-1/2026/11/24/06/b.mp4")
        os.replace(other, sidecar(root))
        refused_with(IntegrityError, "sidecar_damaged", lambda: store.head(KEY))

    def test_links_are_not_followed(self, store: FilesystemStore, root: Path, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "a.mp4").write_bytes(b"not ours")
        store.put(KEY, Content.of_bytes(BODY))
        (root / KEY).unlink()
        (root / KEY).symlink_to(secret / "a.mp4")
        for act in self.every_read(store):
            refused_with(IntegrityError, "not_an_object", act)
        (root / "elsewhere").symlink_to(secret)
        for act in (
            lambda: store.get("elsewhere/a.mp4"),
            lambda: store.put("elsewhere/b.mp4", Content.of_bytes(b"1")),
            lambda: list(store.list("elsewhere/")),
        ):
            refused_with(IntegrityError, "not_an_object", act)
        assert list(store.list("")) == []
        assert os.listdir(secret) == ["a.mp4"]

    def test_a_pipe_in_an_object_s_place_does_not_block(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        (root / KEY).unlink()
        os.mkfifo(root / KEY)
        refused_with(IntegrityError, "not_an_object", lambda: store.get(KEY))

    def every_read(self, store: FilesystemStore) -> list[Callable[[], object]]:
        return [
            lambda: store.head(KEY),
            lambda: store.get(KEY),
            lambda: store.read(KEY, 0, 1),
            lambda: store.stream(KEY),
        ]


class TestPlace:
    def test_objects_are_read_only(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(BODY))
        assert stat.S_IMODE((root / KEY).stat().st_mode) == 0o440
        assert stat.S_IMODE(sidecar(root).stat().st_mode) == 0o440
        assert (root / KEY).stat().st_nlink == 1

    def test_a_name_is_an_object_or_a_folder(self, store: FilesystemStore) -> None:
        store.put("a/b", Content.of_bytes(b"1"))
        refused_with(Malformed, "bad_key", lambda: store.put("a/b/c", Content.of_bytes(b"1")))
        refused_with(Malformed, "bad_key", lambda: store.put("a", Content.of_bytes(b"1")))
        assert [one.key for one in store.list("")] == ["a/b"]

    def test_strange_names_in_the_folder_are_no_objects(self, store: FilesystemStore, root: Path) -> None:
        store.put("a/b", Content.of_bytes(b"1"))
        (root / "lost+found").mkdir()
        (root / "a" / "b~").write_bytes(b"editor")
        (root / "a" / ".hidden").write_bytes(b"hidden")
        assert [one.key for one in store.list("")] == ["a/b"]

    def test_folders_left_empty_go(self, store: FilesystemStore, root: Path) -> None:
        first = store.put(KEY, Content.of_bytes(b"1")).version
        store.put("segments/cam-1/2026/11/25/00/b.mp4", Content.of_bytes(b"2"))
        store.delete_version(KEY, version=first)
        assert not (root / "segments/cam-1/2026/11/24").exists()
        assert (root / "segments/cam-1/2026/11").exists()

    def test_the_store_s_folder_is_gone(self, store: FilesystemStore, root: Path) -> None:
        store.put(KEY, Content.of_bytes(b"1"))
        root.rename(root.with_name("unmounted"))
        for act in (
            lambda: store.get(KEY),
            lambda: store.put(KEY, Content.of_bytes(b"1")),
            lambda: list(store.list("")),
            lambda: store.delete_version(KEY, version="0" * 64),
        ):
            refused_with(Unavailable, "store_missing", act)
        assert not root.exists()

    def test_a_full_disk(self, small_disk: Path, clock: ManualClock) -> None:
        store = FilesystemStore(small_disk / "store", clock)
        store.put("a/first.bin", Content.of_bytes(b"kept"))
        too_much = Content.of_bytes(bytes(2 << 20))
        error = refused_with(StoreFull, "store_full", lambda: store.put("a/big.bin", too_much))
        assert error.retryable
        assert error.hint
        assert debris(small_disk / "store") == []
        assert [one.key for one in store.list("")] == ["a/first.bin"]
        fill(small_disk / "filler")
        refused_with(StoreFull, "store_full", lambda: store.put("b/c/small.bin", Content.of_bytes(b"x")))
        assert store.get("a/first.bin") == b"kept"
        (small_disk / "filler").unlink()
        assert store.put("b/c/small.bin", Content.of_bytes(b"x")).created

    def test_no_room_for_the_last_name(
        self, store: FilesystemStore, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "link", full)
            refused_with(StoreFull, "store_full", lambda: store.put(KEY, Content.of_bytes(b"1")))
        assert not sidecar(root).exists()
        assert debris(root) == []
        assert store.put(KEY, Content.of_bytes(b"1")).created

    def test_a_disk_that_has_become_read_only(self, small_disk: Path, clock: ManualClock) -> None:
        store = FilesystemStore(small_disk / "store", clock)
        version = store.put("a/first.bin", Content.of_bytes(b"kept")).version
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        store = FilesystemStore(small_disk / "store", clock)
        assert store.get("a/first.bin") == b"kept"
        for act in (
            lambda: store.put("a/second.bin", Content.of_bytes(b"x")),
            lambda: store.place_hold("a/first.bin", version=version),
            lambda: store.delete_version("a/first.bin", version=version),
        ):
            refused_with(Unavailable, "store_read_only", act)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything; run this test as another user")
    def test_a_folder_that_is_not_ours(self, store: FilesystemStore, root: Path) -> None:
        root.chmod(0o500)
        try:
            refused_with(Refused, "store_access_denied", lambda: store.put(KEY, Content.of_bytes(b"1")))
        finally:
            root.chmod(0o700)


class TestClock:
    def test_retention_ends_to_the_second(self, store: FilesystemStore, clock: ManualClock) -> None:
        lock = Lock(LockMode.COMPLIANCE, START + 10 * SECOND - 1)
        version = store.put(KEY, Content.of_bytes(b"1"), lock=lock).version
        assert store.head(KEY).stored_at == START
        clock.advance(10 * SECOND - 1)
        refused_with(Refused, "under_retention", lambda: store.delete_version(KEY, version=version))
        clock.advance(1)
        store.delete_version(KEY, version=version)
        with pytest.raises(NotFound):
            store.head(KEY)

    def test_a_clock_set_back_protects_longer(self, store: FilesystemStore, clock: ManualClock) -> None:
        version = store.put(
            KEY, Content.of_bytes(b"1"), lock=Lock(LockMode.GOVERNANCE, START + SECOND)
        ).version
        clock.step(-DAY)
        refused_with(Refused, "under_retention", lambda: store.delete_version(KEY, version=version))


_RIVAL = """
import sys, threading
from pathlib import Path
from archive.clock import ManualClock
from archive.errors import AlreadyExists
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
root, name = sys.argv[1:]
store = FilesystemStore(Path(root), ManualClock(1))
print("ready", flush=True)
sys.stdin.readline()
def put(number):
    for key in range(20):
        body = f"{name}-{number}".encode()
        try:
            if store.put(f"race/{key}.json", Content.of_bytes(body)).created:
                sys.stdout.write(f"{key} {body.decode()}\\n")  # in one piece: other threads write too
                sys.stdout.flush()
        except AlreadyExists:
            pass
threads = [threading.Thread(target=put, args=(n,)) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


class TestProcesses:
    def test_of_many_processes_one_wins_each_key(self, store: FilesystemStore, root: Path) -> None:
        rivals = [
            subprocess.Popen(
                [sys.executable, "-c", _RIVAL, root, str(number)],
                env=child_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        for rival in rivals:
            assert rival.stdin is not None
            rival.stdin.write("\n")
            rival.stdin.flush()
        winners: dict[str, str] = {}
        for rival in rivals:
            output, _ = rival.communicate(timeout=60)
            assert rival.returncode == 0
            for line in output.splitlines():
                key, body = line.split()
                assert key not in winners, "two winners"
                winners[key] = body
        assert len(winners) == 20
        for key, body in winners.items():
            assert store.get(f"race/{key}.json") == body.encode()
        assert debris(root) == []

    def test_putting_beside_the_removal_of_folders(self, store: FilesystemStore) -> None:
        def churn(number: int) -> None:
            for turn in range(60):
                key = f"deep/er/and/deeper/{number}-{turn}.bin"
                version = store.put(key, Content.of_bytes(b"x")).version
                assert store.get(key) == b"x"
                store.delete_version(key, version=version)

        assert stores.in_threads(4, churn) == [None] * 4
        assert list(store.list("")) == []


def test_only_our_errors_have_codes_and_hints(store: FilesystemStore) -> None:
    store.put(KEY, Content.of_bytes(b"1"))
    with pytest.raises(ArchiveError) as caught:
        store.put(KEY, Content.of_bytes(b"2"))
    assert caught.value.code
    assert caught.value.hint
