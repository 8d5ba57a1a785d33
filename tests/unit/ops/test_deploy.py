"""The files a city installs: complete, with known accounts, without secrets."""

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from ops.jobs import all_jobs
from ops.provision import ACCOUNTS, recorder_account
from ops.provision.accounts import JOBS

UNITS = Path(str(files("ops.deploy"))) / "systemd"
SECRET = re.compile(r"(SECRET|PASSWORD|TOKEN)\w*\s*=", re.IGNORECASE)
ACCOUNT_FILE = re.compile(r"store-accounts/(\S+)\.env")


def test_no_file_holds_a_secret_or_a_default_for_one() -> None:
    for path in UNITS.parent.rglob("*"):
        if path.is_file() and path.suffix in {".service", ".conf", ".timer"}:
            assert not SECRET.search(path.read_text("utf-8")), path.name


def test_every_job_has_an_account_that_its_unit_names() -> None:
    assert set(all_jobs()) == set(JOBS)
    assert set(JOBS.values()) <= {one.name for one in ACCOUNTS}
    for job in all_jobs():
        if job == "canary":
            continue  # each process runs the canary with its own account
        own = UNITS / f"saksi-work@{job}.service.d" / "account.conf"
        text = own.read_text("utf-8") if own.exists() else (UNITS / "saksi-work@.service").read_text("utf-8")
        assert [name.replace("%i", job) for name in ACCOUNT_FILE.findall(text)] == [JOBS[job]]


def test_only_one_account_deletes_and_only_two_lock_in_compliance_mode() -> None:
    deleting, hardening = set(), set()
    for account in (*ACCOUNTS, recorder_account("rec-1")):
        for grant in account.grants:
            if "d" in grant.rights and grant.part.value != "-cache":
                deleting.add(account.name)
            if "c" in grant.rights:
                hardening.add(account.name)
    assert deleting == {"retention"}
    assert hardening == {"seal", "log"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_reads_the_units_without_complaint(tmp_path: Path) -> None:
    names = []
    for path in UNITS.iterdir():
        if path.is_file():
            name = path.name.replace("@.", "@seal.")
            (tmp_path / name).write_text(path.read_text("utf-8").replace("/opt/saksi/bin/saksi", "/bin/true"))
            names.append(str(tmp_path / name))
    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
