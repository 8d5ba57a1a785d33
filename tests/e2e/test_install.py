"""The commands of ``ops/deploy/install.md``, in an empty Debian, as far as one goes without systemd.

It needs root, debootstrap, and a network or mirrors of the packages of Debian and Python. If
``SAKSI_TEST_DEBIAN_ROOT`` names an empty Debian that was made before, that one is copied.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.programs import lacking

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(str(files("ops.deploy"))) / "install.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUITE = "bookworm"
LONGEST = 1800
OF_THE_HOST = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt", "etc/apt/apt.conf.d")
"""How this host reaches its mirrors: the empty Debian has to reach them too."""


def _mirror() -> str:
    """The first Debian mirror in this host's sources."""
    for path in sorted(Path("/etc/apt").rglob("*.sources")) + sorted(Path("/etc/apt").rglob("sources.list")):
        found = re.search(r"^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S+)", path.read_text("utf-8"), re.MULTILINE)
        if found is not None:
            return found[1]
    lacking("this host names no Debian mirror in /etc/apt")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty Debian, with the folder that ``make wheel`` writes."""
    if os.getuid() != 0:
        lacking("an empty Debian is made by root: run this test as root")
    made = os.environ.get("SAKSI_TEST_DEBIAN_ROOT")
    if made is None and shutil.which("debootstrap") is None:
        lacking("debootstrap is not installed; Debian has it in the package of that name")
    # Not under the folder of the tests: it may be mounted without devices or programs.
    root = Path("/var/tmp") / f"saksi-install-{os.getpid()}"
    try:
        if made is not None:
            subprocess.run(["cp", "--archive", made, str(root)], check=True)
        else:
            subprocess.run(
                ["debootstrap", "--variant=minbase", SUITE, str(root), _mirror()],
                check=True, timeout=LONGEST, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        for name in OF_THE_HOST:
            _copy(Path("/") / name, root / name)
        subprocess.run(["make", "wheel"], cwd=ROOT, check=True, capture_output=True, timeout=LONGEST)
        shutil.copytree(ROOT / "dist", root / "srv" / "saksi-dist")
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        target.unlink(missing_ok=True)
        target.write_bytes(source.read_bytes())


def inside(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the empty Debian: its own mounts and processes, which end with it."""
    enter = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} "
    environ = {
        name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name
    }
    environ |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]
    return subprocess.run(
        [*argv, f'{enter}/bin/bash -c "$1"', "sh", script],
        env=environ, capture_output=True, text=True, check=False, timeout=LONGEST,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(debian: Path) -> str:
    """What the page's commands printed."""
    script = "set -euo pipefail\n" + "\n".join(BLOCK.findall(PAGE.read_text("utf-8")))
    done = inside(debian, script)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    sys.stderr.write(done.stdout[-1500:])
    return done.stdout


def test_the_page_ends_with_footage_and_a_sound_archive(told: str) -> None:
    assert "saksi-" in told.partition("OK")[0], "the hashes were not checked first"
    assert "uji-coba" in told
    assert "no breaches" in told
    assert "Camera uji-coba is disabled" in told


def test_the_program_of_the_units_is_there_and_its_home_is_its_user_s(told: str, debian: Path) -> None:
    assert told
    said = inside(
        debian,
        "test -x /opt/saksi/bin/saksi && test ! -e /opt/saksi/lib/python3.11/site-packages/ops/bench"
        " && find /var/lib/saksi -user root ! -name saksi.toml && stat -c '%a %U' /var/lib/saksi",
    )
    assert (said.returncode, said.stdout) == (0, "700 saksi\n"), said.stderr


def test_a_library_that_is_not_in_the_lock_is_refused(told: str, debian: Path) -> None:
    assert told
    said = inside(
        debian,
        "cd /srv/saksi-dist && sed 's/sha256:./sha256:0/' run.lock > wrong.lock"
        " && python3 -m venv /tmp/venv"
        " && /tmp/venv/bin/python -m pip install --require-hashes --only-binary :all: -r wrong.lock",
    )
    assert said.returncode != 0
    assert "HASHES" in said.stderr.upper()
