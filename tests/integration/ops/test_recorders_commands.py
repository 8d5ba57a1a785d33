"""``saksi recorders`` as a person uses it: who records what, and moving cameras away, with a reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.ids import adopter_of, importer_of
from ops.recording import membership_of
from ops.settings import Settings
from ops.wiring import Site
from recorder import identity
from tests.support.command_line import CommandLine
from tests.support.etcd_cluster import etcd_cluster

NAMES = ("rec-a", "rec-b", "rec-c")
WHY = ("--reason", "disk baru")


@pytest.fixture
def saksi(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def site(saksi: CommandLine) -> Iterator[Site]:
    """Three registered recorders, an import and an adopter, and six cameras."""
    with Site(Settings.load(saksi.environment())) as made:
        for name in (*NAMES, importer_of("rec-a"), adopter_of("rec-a")):
            identity.register(made.ledger, name, Ed25519PrivateKey.generate().public_key())
        for number in range(6):
            assert saksi.add_camera(f"kam-{number}", "rtsp://10.0.0.1/a").code == 0
        yield made


def beat(site: Site, recorder: str, *cameras: str) -> None:
    """A recorder says what it records."""
    facts = {camera: {"capturing": 1, "kept": 1} for camera in cameras}
    site.index.put_heartbeat(recorder, site.clock.now(), {"cameras": facts})


def test_who_records_what_and_what_is_said_of_them(saksi: CommandLine, site: Site) -> None:
    beat(site, "rec-a", "kam-0", "kam-1")
    listed = saksi("recorders", "list", "--json")
    assert listed.code == 0, listed.err
    found = {one["recorder"]: one for one in listed.json["recorders"]}
    assert set(found) == set(NAMES), "neither imports nor adoptions record"
    assert found["rec-a"] == {
        "recorder": "rec-a", "live": None, "weight": 100, "districts": [], "drained": False,
        "assigned": 6, "records": 2, "leaving": 0,
    }  # fmt: skip
    assert "etcd_urls is not set" in listed.err

    assert "may be stopped once it records none" in saksi.must("recorders", "drain", "rec-a", *WHY).out
    weighed = saksi.must("recorders", "weight", "rec-b", "200", *WHY, "--json").json
    assert (weighed["weight"], weighed["drained"]) == (200, False)
    given = saksi.must("recorders", "districts", "rec-b", "--kecamatan", "73.71.05", *WHY, "--json").json
    assert given["districts"] == ["73.71.05"]
    beat(site, "rec-a", "kam-0", "kam-1")
    beat(site, "rec-b")
    table = saksi("recorders", "list").out.splitlines()
    assert table[0].split() == [
        "RECORDER", "THERE", "WEIGHT", "DISTRICTS", "DRAINED", "ASSIGNED", "RECORDS", "LEAVING",
    ]  # fmt: skip
    assert table[1].split() == ["rec-a", "?", "100", "-", "yes", "0", "2", "2"]
    assert saksi.must("recorders", "undrain", "rec-a", *WHY, "--json").json["drained"] is False
    assert saksi.must("recorders", "districts", "rec-b", *WHY, "--json").json["districts"] == []
    history = list(site.ledger.history("recorder", "rec-a"))
    assert [(one.action, one.reason) for one in history[1:]] == [
        ("recorder.drained", "disk baru"), ("recorder.undrained", "disk baru"),
    ]  # fmt: skip
    assert all(one.actor.startswith("os:") for one in history[1:])


def test_what_is_refused_says_what_to_do(saksi: CommandLine, site: Site) -> None:
    for words, code in (
        (("drain", "rec-z", *WHY), "recorder_not_found"),
        (("undrain", "rec-a", *WHY), "recorder_not_drained"),
        (("weight", "rec-a", "10001", *WHY), "bad_weight"),
        (("drain", "rec-a", "--reason", " "), "reason_missing"),
    ):
        refused = saksi("recorders", *words, "--json")
        assert (refused.code, refused.problem["code"]) == (2, code)
    assert saksi("recorders", "drain", "rec-a").code == 2, "a reason is asked for"


def test_one_may_be_stopped_when_another_has_all(saksi: CommandLine, site: Site) -> None:
    beat(site, "rec-a", "kam-0", "kam-1")
    beat(site, "rec-b", "kam-0")
    waited = saksi("recorders", "replaced", "rec-a", "--by", "rec-b", "--within", "1", "--json")
    assert (waited.code, waited.json) == (1, {"replaced": False, "missing": []}), "no heartbeat came since"
    told = saksi("recorders", "replaced", "rec-a", "--by", "rec-b", "--within", "1")
    assert "leave rec-a as it is" in told.out


def test_with_etcd_it_says_who_is_there(saksi: CommandLine, site: Site, tmp_path: Path) -> None:
    with etcd_cluster() as cluster:
        settings = {"SAKSI_ETCD_URLS": ",".join(cluster.urls)}
        mine = CommandLine(saksi.home, settings)
        members = []
        for name in NAMES[:2]:
            with Site(Settings.load({**mine.environment(), "SAKSI_RECORDER": name})) as host:
                membership = membership_of(host)
            assert membership is not None
            membership.beat()
            members.append(membership)
        listed = mine("recorders", "list", "--json")
        live = {one["recorder"]: one["live"] for one in listed.json["recorders"]}
        assert live == {"rec-a": True, "rec-b": True, "rec-c": False}
        assert listed.code == 1, "rec-c should be there"
        assert sum(one["assigned"] for one in listed.json["recorders"]) == 6
        mine.must("recorders", "weight", "rec-c", "0", "--reason", "tidak kembali")
        assert mine("recorders", "list").code == 0
        for membership in members:
            membership.leave()
