"""A ZIP made anew of an unpacked package is refused, and says the way on; the unpacked folder is verified."""

import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.evidence.verifier.openssl import Openssl
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.programs import required
from tests.support.verifying import opinion, program, verified

__all__ = ["program"]

Writer = Callable[[Path, Path], None]
"""Makes a ZIP of a package's folder."""


def python(kind: int, *, folders: bool, base: str = EVIDENCE_ID) -> Writer:
    def write(folder: Path, out: Path) -> None:
        with zipfile.ZipFile(out, "w", kind) as target:
            for path in sorted(folder.rglob("*")):
                if folders or path.is_file():
                    target.write(path, f"{base}/{path.relative_to(folder)}".lstrip("/"))

    return write


def python_archive(folder: Path, out: Path) -> None:
    shutil.make_archive(str(out.with_suffix("")), "zip", folder.parent, folder.name)


def explorer(folder: Path, out: Path) -> None:
    """What "Send to > Compressed folder" writes: a FAT system, deflated, local times."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder)}", (2026, 11, 28, 12, 0, 0))
            info.create_system, info.external_attr, info.compress_type = 0, 0x20, zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())


def powershell(folder: Path, out: Path) -> None:
    r"""Compress-Archive of PowerShell 5 writes "\\" between folders."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo("x", (2026, 11, 28, 12, 0, 0))
            name = f"{folder.name}/{path.relative_to(folder)}".replace("/", "\\")
            info.filename = info.orig_filename = name
            info.create_system, info.compress_type = 0, zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())


def macos(folder: Path, out: Path) -> None:
    """Archive Utility: folders have entries, data descriptors follow, and AppleDouble lies beside."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for path in [folder, *sorted(folder.rglob("*"))]:
            name = str(path.relative_to(folder.parent))
            if path.is_dir():
                info = zipfile.ZipInfo(name + "/", (2026, 11, 28, 12, 0, 0))
                info.external_attr = (stat.S_IFDIR | 0o755) << 16
                target.writestr(info, b"")
            else:
                target.write(path, name)
                target.writestr(f"__MACOSX/{path.parent.relative_to(folder.parent)}/._{path.name}", b"\0\5")


def seven_zip(folder: Path, out: Path) -> None:
    subprocess.run([required("7z"), "a", "-bd", out, folder.name], cwd=folder.parent, check=True, stdout=-3)


def java(folder: Path, out: Path) -> None:
    if shutil.which("jar") is None:
        pytest.skip("jar is not installed here")
    subprocess.run(["jar", "cMf0", out, folder.name], cwd=folder.parent, check=True)


WRITERS: dict[str, Writer] = {
    "Python, deflated": python(zipfile.ZIP_DEFLATED, folders=False),
    "Python, stored": python(zipfile.ZIP_STORED, folders=False),
    "Python, with folders": python(zipfile.ZIP_STORED, folders=True),
    "Python, another folder": python(zipfile.ZIP_STORED, folders=False, base="Kasus 12 – Jl. Penghibur"),
    "Python, no folder": python(zipfile.ZIP_STORED, folders=False, base=""),
    "Python, make_archive": python_archive,
    "Windows Explorer": explorer,
    "PowerShell 5": powershell,
    "macOS": macos,
    "7-Zip": seven_zip,
    "jar": java,
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("origin"), segments=1)


@pytest.fixture
def folder(origin: World, tmp_path: Path) -> Path:
    return origin.unpacked(tmp_path / "laboratory")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_zip_made_anew_is_refused_with_the_way_on(
    origin: World, folder: Path, tmp_path: Path, program: Openssl, writer: str
) -> None:
    out = tmp_path / "again.zip"
    WRITERS[writer](folder, out)
    notebook = verified(origin, out, origin.pinned(), "now", program)
    assert [one.code for one in notebook.findings] == ["foreign_zip"]
    assert "unpack the ZIP and verify the folder" in notebook.findings[0].detail
    message = notebook.to_json()["findings"][0]["message"]
    assert "Ekstrak ZIP ini, lalu periksa foldernya" in message["id"]
    assert "Unpack it and verify the folder" in message["en"]


@pytest.mark.parametrize("writer", ["Python, deflated", "Windows Explorer", "macOS", "7-Zip"])
def test_what_it_unpacks_to_is_verified(
    origin: World, folder: Path, tmp_path: Path, program: Openssl, writer: str
) -> None:
    out, there = tmp_path / "again.zip", tmp_path / "there"
    WRITERS[writer](folder, out)
    subprocess.run([required("unzip"), "-qq", out, "-d", there], check=True)
    assert opinion(origin, there / EVIDENCE_ID, origin.pinned(), "now", program)[0].valid


def test_the_names_of_the_way_on_are_safe(origin: World, folder: Path, tmp_path: Path) -> None:
    r"""A name with "\\" is read as a path, so it cannot lead out of the folder either."""
    out = tmp_path / "again.zip"
    with zipfile.ZipFile(out, "w") as target:
        target.write(folder / "bagit.txt", f"{EVIDENCE_ID}/bagit.txt")
        info = zipfile.ZipInfo("x")
        info.filename = info.orig_filename = f"{EVIDENCE_ID}\\..\\..\\x"
        target.writestr(info, b"x")
    (finding,) = verified(origin, out, origin.pinned(), "now", None).findings
    assert finding.code == "unsafe_entry"


def test_the_folder_in_the_zip_is_the_package_that_it_says(
    origin: World, tmp_path: Path, program: Openssl
) -> None:
    """Two ZIPs that unpack to one folder would mix."""
    data = origin.zip().read_bytes()
    path = tmp_path / "x.zip"
    path.write_bytes(data.replace(EVIDENCE_ID.encode() + b"/", EVIDENCE_ID.encode()[:-1] + b"0/"))
    assert opinion(origin, path, origin.pinned(), "now", program)[0].codes == {"foreign_zip"}
