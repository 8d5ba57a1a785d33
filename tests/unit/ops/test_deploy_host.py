"""What puts Saksi on a host: the page, the sample of settings, the containers, the lock with hashes."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli import tree
from ops.cli.speaking import Language
from ops.jobs import all_jobs
from ops.provision.accounts import JOBS
from ops.settings import Settings
from ops.stack.elasticsearch import Elasticsearch
from ops.stack.minio import Minio

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = Path(str(files("ops.deploy")))
PROGRAM = "/opt/saksi/bin/saksi"
INSTRUCTIONS = {
    "FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD",
}  # fmt: skip
OF_SERVICES = {
    "image", "restart", "command", "environment", "env_file", "volumes", "ports", "depends_on", "healthcheck",
    "profiles", "stop_grace_period",
}  # fmt: skip


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in text_of("containers/Containerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(first, rest) for first, rest in words]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(text_of("containers/compose.yaml"))
    return read


def packages_in(text: str) -> set[str]:
    (found,) = re.findall(r"apt-get install --yes --no-install-recommends ([a-z0-9 -]+)", text)
    return set(found.split())


def test_every_unit_and_the_image_start_the_program_where_the_page_puts_it() -> None:
    units = [path for path in (DEPLOY / "systemd").rglob("*.service")]
    assert len(units) >= 4
    for unit in units:
        starts = re.findall(r"^ExecStart=(\S+)", unit.read_text("utf-8"), re.MULTILINE)
        assert set(starts) == {PROGRAM}, unit.name
    assert f'["{PROGRAM}"]' in dict(instructions())["ENTRYPOINT"]
    page = text_of("install.md")
    assert "python3 -m venv /opt/saksi\n" in page
    assert f"{PROGRAM} --help" in page
    assert packages_in(page) == packages_in(text_of("containers/Containerfile"))


@pytest.mark.parametrize("with_examples", [False, True])
def test_the_sample_of_settings_is_read(tmp_path: Path, with_examples: bool) -> None:
    """Also with the settings that stand in it as comments."""
    text = text_of("saksi.toml")
    if with_examples:
        text = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
        assert len(tomllib.loads(text)) > len(tomllib.loads(text_of("saksi.toml")))
    (tmp_path / "saksi.toml").write_text(text, "utf-8")
    settings = Settings.load({"SAKSI_HOME": str(tmp_path)})
    assert settings.archive_url == "file:///var/lib/saksi/archive"
    assert str(settings.camera_networks[0]) == "10.20.0.0/16"


def test_the_containerfile_has_only_known_instructions_and_takes_hashes() -> None:
    found = instructions()
    assert {name for name, _ in found} == INSTRUCTIONS
    assert found[0] == ("FROM", "debian:bookworm-slim")
    run = " ".join(rest for name, rest in found if name == "RUN")
    for needed in ("sha256sum --check", "--require-hashes", "--no-deps --no-index", "run.lock"):
        assert needed in run
    order = [name for name, _ in found]
    assert order.index("USER") < order.index("ENTRYPOINT")


def test_the_compose_file_is_one(compose: dict[str, Any]) -> None:
    assert {name for name in compose if not name.startswith("x-")} == {"name", "services", "volumes"}
    services = compose["services"]
    for name, service in services.items():
        assert set(service) <= OF_SERVICES, name
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"], name
    for needed, condition in services["api"]["depends_on"].items():
        if condition["condition"] == "service_healthy":
            assert "healthcheck" in services[needed]


def test_its_versions_are_those_of_the_tests(compose: dict[str, Any]) -> None:
    images = {
        service["image"].partition(":")[0]: service["image"] for service in compose["services"].values()
    }
    assert set(images) == {"minio/minio", "elasticsearch", "saksi"}
    assert images["minio/minio"].startswith(f"minio/minio:{Minio().version}")
    assert images["elasticsearch"] == f"elasticsearch:{Elasticsearch().version}"


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|ACCESS_KEY|ROOT_USER", name):
                assert re.fullmatch(r"\$\{MINIO_ROOT_(USER|PASSWORD):\?[^}]+\}", value), name


def test_every_job_runs_with_the_account_that_its_unit_has(compose: dict[str, Any]) -> None:
    told: dict[str, str] = {}
    commands = tree(Language.ENGLISH).commands
    for service in compose["services"].values():
        if service["image"] != "saksi":
            continue
        first, *rest = service["command"]
        assert first in commands
        accounts = [one["path"] for one in service.get("env_file", ())]
        for flag, job in zip(rest[::2], rest[1::2], strict=False):
            if flag == "--only":
                told[job] = accounts[0].removeprefix("store-accounts/").removesuffix(".env")
    assert told == {job: JOBS[job] for job in all_jobs() if job != "canary"}


def test_the_lock_has_every_library_with_hashes() -> None:
    lock = (ROOT / "requirements" / "run.lock").read_text("utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock)
    pinned = {re.split(r"[\[=]", entry, maxsplit=1)[0].lower().replace("_", "-") for entry in entries}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[=<>]", one, maxsplit=1)[0].lower() for one in project["dependencies"]}
    assert wanted <= pinned
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
