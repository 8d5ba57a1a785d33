"""A page of versions requested without boto3: read as boto3 reads it, or left to boto3."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.credentials import Credentials

from archive.objects.s3.listing import Listing
from archive.objects.s3.quick import QuickRequests

AT = datetime(2026, 1, 1, tzinfo=UTC)


def page(key: str, rest: str) -> bytes:
    return (
        '<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>false</IsTruncated>{rest}<Version><Key>{key}</Key><VersionId>quick</VersionId>"
        "<IsLatest>true</IsLatest><LastModified>2026-01-01T00:00:00Z</LastModified><Size>1</Size></Version>"
        "</ListVersionsResult>"
    ).encode()


class Store:
    """A store that answers both kinds of requests."""

    def __init__(self, text: bytes | None) -> None:
        self._text = text

    def page(self, *_: object) -> bytes | None:
        return self._text

    def list_object_versions(self, **_: object) -> dict[str, Any]:
        one = {"Key": "by/boto3", "VersionId": "boto3", "IsLatest": True, "LastModified": AT, "Size": 1}
        return {"Versions": [one], "IsTruncated": False}


def listed(text: bytes | None) -> tuple[str, str]:
    store: Any = Store(text)
    ((one,),) = Listing(store, "bucket", store).keys_with_versions("")
    return one.key, one.version


def test_a_key_that_the_store_says_it_wrote_for_a_url_is_read_back() -> None:
    text = page("a%2Bb+%5B", "<EncodingType>url</EncodingType>")
    assert listed(text) == ("a+b [", "quick")


@pytest.mark.parametrize(
    "text",
    [
        None,
        b"",
        b"<html/>",
        b"<Error><Code>SlowDown</Code></Error>",
        page("a+b", ""),
        page("a", "<EncodingType>url</EncodingType>").replace(b"<Size>1</Size>", b""),
        page("a", "<EncodingType>url</EncodingType>").replace(b"2026-01-01T", b"soon"),
        page("a", "<EncodingType>url</EncodingType>").replace(b">false<", b">true<"),
    ],
)
def test_whatever_else_comes_is_left_to_boto3(text: bytes | None) -> None:
    assert listed(text) == ("by/boto3", "boto3")


def test_a_blank_is_sent_as_it_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the store refuses a page after a foreign key with a blank, and boto3 repeats the request."""
    quick = QuickRequests(
        Credentials("key", "secret"), "http://store.example", "x", pool_size=1, timeouts=(1, 1), verify=True
    )
    sent: list[str] = []

    def send(_method: str, url: str, _headers: object) -> Any:
        sent.append(url)
        return type("Answer", (), {"status_code": 403})

    monkeypatch.setattr(quick, "_send", send)
    assert quick.page("bucket", {"prefix": "", "key-marker": "a b+c/d"}) is None
    assert sent == ["http://store.example/bucket?versions=&prefix=&key-marker=a%20b%2Bc%2Fd"]
