"""The manifest for Kubernetes: the processes, settings, jobs and accounts that there are, and no others."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli import tree
from ops.cli.speaking import Language
from ops.jobs import all_jobs
from ops.provision import ACCOUNTS, recorder_account
from ops.provision.accounts import JOBS
from ops.settings import Settings
from tests.unit.ops.test_deploy_host import PROGRAM, instructions

PATH = Path(str(files("ops.deploy"))) / "kubernetes" / "saksi.yaml"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "kubernetes.md"
KINDS = {"ConfigMap", "Service", "Deployment", "StatefulSet"}


@pytest.fixture(scope="module")
def parts() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(PATH.read_text("utf-8")))


@pytest.fixture(scope="module")
def pods(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    running = [one for one in parts if one["kind"] in ("Deployment", "StatefulSet")]
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in running}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    found: dict[str, Any] = only
    return found


def test_it_has_known_kinds_that_select_their_own_pods(parts: list[dict[str, Any]]) -> None:
    assert {one["kind"] for one in parts} == KINDS
    names = [(one["kind"], one["metadata"]["name"]) for one in parts]
    assert len(names) == len(set(names))
    for one in parts:
        if one["kind"] in ("Deployment", "StatefulSet"):
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert one["spec"]["selector"]["matchLabels"] == labels == one["metadata"]["labels"]


def test_every_setting_is_one(parts: list[dict[str, Any]], pods: dict[str, dict[str, Any]]) -> None:
    known = {f"SAKSI_{name.upper()}" for name in Settings.model_fields} | {"SAKSI_HOME"}
    (shared,) = [one["data"] for one in parts if one["kind"] == "ConfigMap"]
    assert set(shared) <= known
    Settings.load({**shared, "SAKSI_HOME": "/nowhere"})
    for name, pod in pods.items():
        assert {one["name"] for one in container(pod).get("env", ())} <= known, name


def test_every_process_is_a_command_with_options_that_exist(pods: dict[str, dict[str, Any]]) -> None:
    assert f'["{PROGRAM}"]' in dict(instructions())["ENTRYPOINT"]
    commands = tree(Language.ENGLISH).commands
    for name, pod in pods.items():
        assert "command" not in container(pod), f"{name}: the image's own program is started"
        first, *rest = container(pod)["args"]
        known = {option for one in commands[first].params for option in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known, name


def test_every_job_and_recorder_has_its_account(pods: dict[str, dict[str, Any]]) -> None:
    told: dict[str, str] = {}
    accounts = {one.name for one in ACCOUNTS}
    for name, pod in pods.items():
        one = container(pod)
        (secret,) = [given["secretRef"]["name"] for given in one["envFrom"] if "secretRef" in given]
        account = secret.removeprefix("saksi-account-")
        match one["args"]:
            case ["work", *flags]:
                (job,) = [word for word in flags if not word.startswith("--") and word != "canary"]
                told[job] = account
            case ["record"]:
                (recorder,) = [given["value"] for given in one["env"] if given["name"] == "SAKSI_RECORDER"]
                assert (account, name) == (recorder_account(recorder).name, f"saksi-{recorder}")
            case _:
                assert account in accounts
    assert told == {job: JOBS[job] for job in all_jobs() if job != "canary"}


def test_what_must_outlive_a_pod_is_on_a_volume_of_its_own(parts: list[dict[str, Any]]) -> None:
    """A spool, a journal and the key that signs it."""
    kept = {one["metadata"]["name"] for one in parts if one["kind"] == "StatefulSet"}
    signing = {
        one["metadata"]["name"]
        for one in parts
        if one["kind"] in ("Deployment", "StatefulSet")
        and {"record", "adopt"} & set(container(one["spec"]["template"]["spec"])["args"])
    }
    assert kept == signing
    for one in parts:
        if one["kind"] == "StatefulSet":
            assert one["spec"]["replicas"] == 1, "two processes of one name would write one journal"
            assert [claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]] == ["home"]


def test_pods_may_little_and_have_time_to_end(pods: dict[str, dict[str, Any]]) -> None:
    for name, pod in pods.items():
        assert pod["terminationGracePeriodSeconds"] >= 90, name
        assert pod["securityContext"]["runAsNonRoot"], name
        volumes = {one["name"] for one in pod["volumes"]} | {"home"}
        for one in (*pod["containers"], *pod.get("initContainers", ())):
            assert one["image"] == container(pod)["image"]
            assert not one["securityContext"]["allowPrivilegeEscalation"]
            assert {mount["name"] for mount in one["volumeMounts"]} <= volumes, name


def test_no_secret_stands_in_it() -> None:
    text = PATH.read_text("utf-8")
    assert not re.search(r"(PASSWORD|SECRET_ACCESS|TOKEN)", text)
    assert "kind: Secret" not in text


def test_the_page_names_every_process(pods: dict[str, dict[str, Any]]) -> None:
    page = PAGE.read_text("utf-8")
    for name in pods:
        assert name in page or name.removeprefix("saksi-") in page, name
