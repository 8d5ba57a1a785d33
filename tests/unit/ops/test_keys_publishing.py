"""A city's publication: fingerprints for people, for programs and as a QR code; nothing secret."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archive.clock import ManualClock
from archive.errors import AlreadyExists, Malformed
from archive.trust import certificates
from ops import keys
from ops.keys import publishing
from tests.support.key_sets import private_texts
from tests.support.packages import T0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> Path:
    keys.init(tmp_path / "keys", clock=clock)
    keys.rotate(tmp_path / "keys", "seal", clock=clock)
    keys.revoke(tmp_path / "keys", "log", reason="superseded", clock=clock)
    return tmp_path / "keys"


def test_every_certificate_is_told_with_its_standing(folder: Path, clock: ManualClock) -> None:
    parts = keys.publication(folder, organization="Kota Contoh", clock=clock)
    stated = json.loads(parts[publishing.JSON])
    standing = {(one["role"], one["status"]) for one in stated["certificates"]}
    assert standing == {("seal", "current"), ("seal", "retired"), ("log", "revoked"), ("tsa", "current")}
    assert stated["development"] is True
    text = parts[publishing.TEXT].decode()
    for one in stated["certificates"]:
        printed = publishing.grouped(one["sha256"])
        assert printed[:48].rstrip(":") in text
        assert certificates.read_fingerprint(printed) == one["sha256"]
        (certificate,) = certificates.load_pem_files(
            [folder / "trust" / f"{one['role']}-{one['sha256'][:16]}.pem"]
        )
        assert certificates.fingerprint(certificate) == one["sha256"]
        assert f"{one['role']}-{one['sha256'][:16]}.pem" in parts
    assert "DICABUT" in text
    assert "Kota Contoh" in text
    assert max(map(len, text.splitlines())) < 160


def test_the_picture_is_a_qr_code_of_what_is_in_use(folder: Path, clock: ManualClock) -> None:
    picture = keys.publication(folder, organization="Kota", clock=clock)[publishing.QR]
    assert ElementTree.fromstring(picture).tag.endswith("svg")  # noqa: S314 - made by us a moment ago
    keys.rotate(folder, "seal", clock=clock)
    assert keys.publication(folder, organization="Kota", clock=clock)[publishing.QR] != picture


def test_nothing_secret_is_published_and_nothing_overwritten(
    tmp_path: Path, folder: Path, clock: ManualClock
) -> None:
    names = keys.publish(folder, tmp_path / "out", organization="Kota", clock=clock)
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(names)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir()).decode()
    assert "PRIVATE" not in everything
    assert not [line for line in private_texts(folder) if line in everything]
    with pytest.raises(AlreadyExists) as caught:
        keys.publish(folder, tmp_path / "out", organization="Kota", clock=clock)
    assert caught.value.code == "output_exists"
    with pytest.raises(Malformed):
        keys.publish(folder, tmp_path / "no" / "out", organization="Kota", clock=clock)
