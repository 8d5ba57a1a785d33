"""What a city installs: the wheel, without measurements, development servers and the demo."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[3]
_IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(sys.modules["ops"].__file__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, and nothing else of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def saksi(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-P", "-m", "ops", *words],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_for_development_is_not_in_it(installed: Path) -> None:
    assert {one.name for one in installed.iterdir() if one.suffix != ".dist-info"} == {
        "api", "archive", "ops", "recorder", "search",
    }  # fmt: skip
    for absent in ("ops/bench", "ops/stack", "ops/demo.py", "ops/demo_people.py", "tests"):
        assert not (installed / absent).exists(), absent
    (facts,) = installed.glob("*.dist-info/METADATA")
    assert "maven" not in facts.read_text("utf-8")
    for needed in (
        "ops/deploy/install.md", "ops/deploy/saksi.toml", "ops/deploy/systemd/saksi.service",
        "ops/deploy/containers/compose.yaml", "ops/cli/indonesian.toml", "api/described/indonesian.toml",
        "archive/footage/makassar.csv", "api/web/guides/panduan-petugas.pdf",
        "api/web/guides/panduan-operator.pdf", "api/web/guides/panduan-admin.pdf",
    ):  # fmt: skip
        assert (installed / needed).is_file(), needed
    (scripts,) = installed.glob("*.dist-info/entry_points.txt")
    assert "saksi = ops.__main__:main" in scripts.read_text("utf-8")


def test_every_module_in_it_is_imported_without_what_is_left_out(installed: Path) -> None:
    names = [
        str(path.relative_to(installed).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for package in ("archive", "recorder", "search", "api", "ops")
        for path in sorted((installed / package).rglob("*.py"))
        if path.name not in {"__main__.py", "conftest.py"} and "standalone" not in path.parts
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _IMPORT, *names],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(installed / "ops" / "__init__.py")


def test_the_command_runs_and_says_that_it_has_no_stack(installed: Path) -> None:
    assert saksi(installed, "--help").returncode == 0
    refused = saksi(installed, "stack", "up")
    assert refused.returncode == 2
    assert "No such command 'stack'" in refused.stderr
    assert "Traceback" not in refused.stderr
