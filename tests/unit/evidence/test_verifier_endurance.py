"""Input that wants to end the verifier: nesting, very many parts, names that drive a terminal, failures."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive import canonical as ours
from archive.evidence import bag, paths
from archive.evidence.verifier import canonical, cms, command, der, leaf, mp4, wording
from archive.evidence.verifier.container import Container, FolderContainer
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import MOST, Notebook
from archive.evidence.verifier.stream import read_payload
from tests.support.packages import World, make_world

DEEP = 200_000


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), segments=1)
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(origin.folder / "package", tmp_path / "package", copy_function=shutil.copyfile)
    )


@contextmanager
def shallow(depth: int = 120) -> Iterator[None]:
    """Few calls deep from here on: who reads nesting by recursion ends with a RecursionError."""
    before, frame, here = sys.getrecursionlimit(), sys._getframe(), 0
    while frame is not None:
        frame, here = frame.f_back, here + 1  # type: ignore[assignment]
    sys.setrecursionlimit(here + depth)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"a":' + b"[" * DEEP,
        b"[" * DEEP,
        b'{"a":"' + b"\\" * 2 * DEEP + b'"' + b"[" * DEEP,
    ],
    ids=["lists", "objects", "cut off", "no object", "behind text"],
)
def test_nested_json_is_refused_before_it_is_read(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> object:
        raise AssertionError("it was read")

    monkeypatch.setattr(canonical.json, "loads", never)
    with pytest.raises(canonical.BadJson, match=r"nested|a text that is too long"):
        canonical.read(data)
    with pytest.raises(Broken):
        leaf.read(data)


def test_brackets_in_a_text_are_no_nesting() -> None:
    value = {"a": "[{" * 5000, "b": '\\"[' * 5000}
    assert canonical.read(ours.encode(value)) == value


def test_nested_der_is_read_without_going_deeper() -> None:
    data = b""
    for _ in range(20_000):
        head = len(data).to_bytes(4, "big").lstrip(b"\0") or b"\0"
        length = head if len(data) < 0x80 else bytes([0x80 | len(head)]) + head
        data = b"\x30" + length + data
    with shallow():
        assert der.parse(data).tag == der.SEQUENCE
        for read in (cms.read_seal, cms.read_token):
            with pytest.raises(Broken):
                read(data)


def test_nested_boxes_are_read_without_going_deeper() -> None:
    size = 8 * DEEP
    nested = b"".join((size - 8 * number).to_bytes(4, "big") + b"moov" for number in range(DEEP))
    with shallow():
        for read in (mp4.clip_samples, mp4.original_samples):
            with pytest.raises(mp4.BadMp4):
                read(nested)


def test_a_statement_that_is_nested_is_a_finding(origin: World, package: Path) -> None:
    (package / paths.STATEMENT).write_bytes(b'{"a":' + b"[" * DEEP)
    found = {finding.code for finding in origin.verify(package).findings}
    assert {"bad_statement", "payload_altered"} <= found


HOSTILE = [
    "handover/\x1b[2J\x1b[1;1HSAH",
    "handover/\u202egpj.exe",
    "handover/a\rb",
    "handover/\x9b2J",
    "handover/\u2066x",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("as_json", [True, False])
def test_no_name_drives_a_terminal(
    origin: World, package: Path, capsys: pytest.CaptureFixture[str], name: str, as_json: bool
) -> None:
    (package / "handover").mkdir()
    (package / name).write_bytes(b"x")
    assert command.main([str(package), *(["--json"] if as_json else [])]) == 1
    told = capsys.readouterr()
    text = (told.out + told.err).replace("\n", "")
    assert "unsafe_entry" in text
    assert text.isprintable()
    if as_json:
        assert json.loads(told.out)["findings"][0]["path"] == name
    else:
        assert wording.printable(name) in text


def test_a_name_that_is_no_text_is_a_finding(
    origin: World, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "handover").mkdir()
    with open(os.fsencode(package) + b"/handover/\xff\xfe", "wb"):
        pass
    assert command.main([str(package)]) == 1
    assert "\\udcff\\udcfe" in capsys.readouterr().out


def test_a_finding_is_kept_once_however_many_there_are() -> None:
    notebook = Notebook(Container(), lambda done, total: None)
    notebook.begin("payload")
    for number in range(50_000):
        for _ in range(2):
            notebook.find("unlisted_part", str(number))
    assert len(notebook.findings) == MOST == 1000
    assert notebook.more == notebook.to_json()["more"] == {"unlisted_part": 49_000}
    assert notebook.verdict == "not_valid"


def test_the_first_findings_of_a_code_are_printed_and_the_others_counted(
    origin: World, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Findings of other codes do not drown in them."""
    for number in range(1_100):
        (package / f"added-{number:04d}").write_bytes(b"x")
    assert command.main([str(package), "--lang", "id"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("KESALAHAN [unlisted_part]") == 20
    assert "… dan 1080 temuan lagi [unlisted_part]" in printed
    assert "[no_trust]" in printed


def test_hundreds_of_clips_of_one_original_need_a_handful_of_files(package: Path) -> None:
    """Each of them is compared while the one original goes by."""
    stated = ours.decode((package / paths.STATEMENT).read_bytes())
    (part,) = stated["derivatives"]
    stated["derivatives"] = [{**part, "path": f"data/derivative/copy-{number}.mp4"} for number in range(300)]
    for one in stated["derivatives"]:
        shutil.copyfile(package / part["path"], package / one["path"])
    notebook = Notebook(FolderContainer(str(package)), lambda done, total: None)
    notebook.manifest = dict(bag.read_manifest(bag.MANIFEST, (package / bag.MANIFEST).read_bytes()))
    notebook.manifest |= {one["path"]: part["sha256"] for one in stated["derivatives"]}
    notebook.statement = stated
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/dev/fd"))) + 16, hard))
    try:
        clips = read_payload(notebook)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert notebook.findings == []
    assert [one for one in clips.followers.values() if not (one.same and one.complete)] == []
    assert len(clips.followers) == 300


BREAKS = """
import sys
from archive.evidence.verifier import {module} as module

def broken(*_, **__):
    raise {error}

module.{name} = broken
{run}
"""
ALONE = "from archive.evidence.verifier.command import run; sys.exit(run())"
SAKSI = "sys.argv[1:1] = ['verify', '--trust', sys.argv.pop()]; from ops.cli import main; main()"


@pytest.mark.parametrize(
    "error", ["RuntimeError('x')", "RecursionError('x')", "MemoryError()", "OSError('x')"]
)
@pytest.mark.parametrize("run", [ALONE, SAKSI], ids=["saksi-verify", "saksi verify"])
def test_a_check_that_breaks_off_is_no_verdict(origin: World, package: Path, run: str, error: str) -> None:
    """Python's own exit code after a failure is 1, which would read as *not valid*."""
    code = BREAKS.format(module="bag", name="check", error=error, run=run)
    given = [str(package), *([str(origin.keys / "root.pem")] if run == SAKSI else [])]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
    assert done.returncode == command.BROKE_OFF == 4
    assert "Traceback" not in done.stderr
    assert "terputus" in done.stderr
