"""Reading ``SAKSI_ARCHIVE_URL``."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.clock import ManualClock
from archive.errors import Malformed
from archive.objects.locations import FileLocation, S3Location, open_stores, parse_archive_url
from archive.ports import Content


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("file:///var/lib/saksi", FileLocation(Path("/var/lib/saksi"))),
        ("file:///a%20b/c", FileLocation(Path("/a b/c"))),
        (
            "s3://saksi?endpoint=http://127.0.0.1:9000&region=us-east-1",
            S3Location("saksi", "http://127.0.0.1:9000", "us-east-1"),
        ),
        ("s3://saksi?endpoint=https://store.example/", S3Location("saksi", "https://store.example", None)),
        ("s3://saksi?endpoint=http%3A%2F%2F[::1]%3A9000", S3Location("saksi", "http://[::1]:9000", None)),
        ("s3://saksi?region=ap-southeast-3", S3Location("saksi", None, "ap-southeast-3")),
        ("s3://saksi", S3Location("saksi", None, None)),
    ],
)
def test_addresses(url: str, location: FileLocation | S3Location) -> None:
    assert parse_archive_url(url) == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "saksi",
        "/var/lib/saksi",
        "http://127.0.0.1:9000/saksi",
        "file:relative",
        "file://relative/dir",
        "file:///a/../b",
        "file:///a?x=1",
        "file:///a%00b",
        "s3://",
        "s3://UPPER",
        "s3://a",
        "s3://" + "a" * 55,
        "s3://-saksi",
        "s3://saksi/prefix",
        "s3://saksi?endpoint=127.0.0.1:9000",
        "s3://saksi?endpoint=http://",
        "s3://saksi?endpoint=http://host:0",
        "s3://saksi?endpoint=http://host:99999",
        "s3://saksi?endpoint=http://host/path",
        "s3://saksi?endpoint=ftp://host",
        "s3://saksi?endpoint=http://a&endpoint=http://b",
        "s3://saksi?region=",
        "s3://saksi?region=a/b",
        "s3://saksi?secret=x",
        "s3://saksi?endpoint",
        "s3://saksi#fragment",
        "s3://[saksi",
        "s3://saksi?endpoint=http://[half",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_archive_url(url)
    assert caught.value.code == "bad_archive_url"
    assert "file:///" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["s3://saksi?endpoint=http://key:hunter2@host", "s3://key:hunter2@saksi", "s3://saksi?k=hunter2"]
)
def test_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_archive_url(url)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@given(st.text(max_size=40).map(lambda tail: f"s3://{tail}") | st.text(max_size=40))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    found: object
    try:
        found = parse_archive_url(text)
    except Malformed as error:
        found = error
    assert isinstance(found, S3Location | FileLocation | Malformed)


def test_an_archive_in_a_folder_has_three_stores(tmp_path: Path) -> None:
    stores = open_stores(parse_archive_url(f"file://{tmp_path}/archive"), ManualClock(1))
    for store in (stores.footage, stores.records, stores.cache):
        store.put("a/b.bin", Content.of_bytes(b"1"))
    for name in ("footage", "records", "cache"):
        assert (tmp_path / "archive" / name / "a" / "b.bin").read_bytes() == b"1"
