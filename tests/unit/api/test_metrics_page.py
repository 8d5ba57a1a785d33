"""``docs/reference/metrics.md`` is the contract of ``/metrics``: names, types and labels, all of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.camera_figures import CameraFigures
from api.metrics import Metrics
from archive.timespan import MINUTE
from tests.support.api_site import CAMERA, Site, open_site

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `(saksi_[a-z_]+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
METRIC = re.compile(r"saksi_[a-z_]+")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        now = made.clock.now()
        entry = {
            "capturing": 1, "kept": 1, "began": now, "grown": now, "attempts": 1, "failures": 0, "cause": "",
            "until": now, "archived": now - MINUTE, "mfps": 15_000, "kbps": 2_000, "damaged": 9,
        }  # fmt: skip
        state = {
            "version": "1.0", "cameras": {CAMERA: entry}, "set_aside": 0, "spool_bytes": 1, "spool_room": 2,
            "disk_free": 3, "waiting": 4, "oldest_us": 5, "stalled_us": 6, "fill_s": 7,
            "quarantine_bytes": 8, "quarantine_dropped": 9,
        }  # fmt: skip
        made.services.index.put_heartbeat("rec-1", now, state)
        yield made


def labels_of_counters() -> dict[str, tuple[str, ...]]:
    """The labels of metrics that may have no value yet."""
    made = vars(Metrics(CollectorRegistry())).values()
    return {one._name: tuple(one._labelnames) for one in made}


def test_the_page_lists_every_metric_with_its_type_and_labels(site: Site) -> None:
    text = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    written = {
        (name.removesuffix("_total"), kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(text)
    }
    empty = labels_of_counters()
    served = set()
    for family in site.services.metrics.collect():
        if not family.name.startswith("saksi_"):
            continue
        samples = [one for one in family.samples if not one.name.endswith("_created")]
        found = {frozenset(one.labels) - {"le"} for one in samples} or {frozenset(empty[family.name])}
        assert len(found) == 1, family.name
        served.add((family.name, family.type, *found))
    assert written == served


def test_rules_look_at_metrics_that_exist() -> None:
    known = {name for name, _, _ in ROW.findall((ROOT / "docs/reference/metrics.md").read_text("utf-8"))}
    files = sorted((ROOT / "ops/alerts").glob("*.yml"))
    assert len(files) == 3
    for path in files:
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                named = set(METRIC.findall(rule["expr"]))
                assert named, rule["alert"]
                assert named <= known, rule["alert"]
                assert rule["labels"]["severity"] in ("critical", "warning")
                assert " / " in rule["annotations"]["summary"], "Indonesian first, English second"


def test_states_are_counted_and_a_camera_is_recording_only_by_proof(site: Site) -> None:
    value = site.services.metrics.get_sample_value
    assert value("saksi_cameras", {"state": "recording"}) == 1
    assert value("saksi_cameras", {"state": "unknown"}) == 1, "no recorder has the other one"
    assert value("saksi_camera_recording", {"camera": CAMERA}) == 1
    assert value("saksi_camera_recording", {"camera": "cam-2"}) == 0
    assert value("saksi_camera_lag_seconds", {"camera": CAMERA}) == 60
    assert value("saksi_camera_lag_seconds", {"camera": "cam-2"}) is None
    assert value("saksi_camera_bits_per_second", {"camera": CAMERA}) == 2_000_000
    assert value("saksi_camera_damaged_packets", {"camera": CAMERA}) == 9
    assert value("saksi_camera_damaged_packets", {"camera": "cam-2"}) == 0
    assert value("saksi_cameras_missed", {"cause": "none"}) == 0


def test_too_many_cameras_have_no_series_and_are_still_counted(site: Site) -> None:
    few = replace(site.services, settings=replace(site.services.settings, camera_series=1))
    families = {one.name: one for one in CameraFigures(few).collect()}
    assert set(families) == {"saksi_cameras", "saksi_cameras_missed", "saksi_cameras_left_out"}
    assert families["saksi_cameras_left_out"].samples[0].value == 2
    assert sum(one.value for one in families["saksi_cameras"].samples) == 2
