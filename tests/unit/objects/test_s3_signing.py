"""Our signature is botocore's, for every form of request that we send."""

import calendar
import datetime
from collections.abc import Mapping

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from archive.objects.s3.signing import UNSIGNED, RequestSigner

AT = datetime.datetime(2026, 11, 29, 23, 59, 58, tzinfo=datetime.UTC)
SECONDS = float(calendar.timegm(AT.timetuple()))
ENDPOINTS = (
    "http://127.0.0.1:9000",
    "http://127.0.0.1:80",
    "https://Store.example",
    "https://store.example:443/",
    "http://[::1]:9000",
)
KEY = "saksi/segments/cam-1/2026/11/29/06/20261129T060000.000000Z_6b05_00000001_0123456789abcdef.mp4"
FORMS: Mapping[str, tuple[str, str, dict[str, str], bytes]] = {
    "range": ("GET", f"{KEY}?versionId=0b6e-4f~1", {"Range": "bytes=0-3327"}, b""),
    "whole": ("GET", f"{KEY}?versionId=null", {"x-amz-checksum-mode": "ENABLED"}, b""),
    "head": ("HEAD", f"{KEY}?versionId=a", {"x-amz-checksum-mode": "ENABLED"}, b""),
    "page": ("GET", "saksi?versions=&prefix=custody%2F2026%2F&max-keys=2&key-marker=a%20b", {}, b""),
    "hold": ("PUT", f"{KEY}?versionId=a&legal-hold=", {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, b"<a/>"),
    "put": (
        "PUT", "saksi-records/custody/2026/11/29/06/api-0_0000000001.jsonl",
        {"If-None-Match": "*", "x-amz-meta-leaf": '{"a":"b  c"}', "x-amz-object-lock-mode": "GOVERNANCE"},
        b"line\n" * 100,
    ),
    "empty": ("PUT", "saksi-cache/gate/1", {"If-None-Match": "*"}, b""),
}  # fmt: skip


def theirs(
    credentials: Credentials,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    region: str,
    config: Config | None = None,
) -> str:
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    request.context["client_config"] = config
    auth.S3SigV4Auth(credentials.get_frozen_credentials(), "s3", region).add_auth(request)
    signature: str = request.headers["Authorization"]
    return signature


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: AT)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", [None, "a-session-token"])
def test_it_is_the_signature_of_botocore(endpoint: str, form: str, token: str | None) -> None:
    method, path, headers, body = FORMS[form]
    url = f"{endpoint.rstrip('/')}/{path}"
    credentials = Credentials("access", "secret/with+signs", token)
    signer = RequestSigner(credentials, endpoint, "ap-southeast-3", now=lambda: SECONDS)
    ours = signer.signed(method, url, headers, body)
    assert ours["Authorization"] == theirs(credentials, method, url, headers, body, "ap-southeast-3")
    assert {name: ours[name] for name in headers} == headers


def test_a_body_that_its_checksum_covers_is_not_hashed_again() -> None:
    credentials = Credentials("access", "secret", None)
    signer = RequestSigner(credentials, ENDPOINTS[0], "us-east-1", now=lambda: SECONDS)
    method, path, headers, body = FORMS["put"]
    url = f"{ENDPOINTS[0]}/{path}"
    covered = {**headers, "x-amz-checksum-sha256": "cOVX+GkVCNP0MC4Mu/pcv7vpc4u1xdYRWhxHVRFgkzY="}
    ours = signer.signed(method, url, covered, body, digest=UNSIGNED)
    unsigned = Config(s3={"payload_signing_enabled": False})
    assert ours["Authorization"] == theirs(credentials, method, url, covered, body, "us-east-1", unsigned)
    assert ours["Authorization"] != signer.signed(method, url, covered, body)["Authorization"]


def test_a_new_day_and_new_credentials_have_a_new_key() -> None:
    credentials = Credentials("access", "secret", None)
    now = SECONDS
    signer = RequestSigner(credentials, ENDPOINTS[0], "us-east-1", now=lambda: now)
    url = f"{ENDPOINTS[0]}/{KEY}?versionId=a"
    first = signer.signed("GET", url, {}, b"")["Authorization"]
    now += 3
    next_day = signer.signed("GET", url, {}, b"")["Authorization"]
    assert "/20261129/" in first
    assert "/20261130/" in next_day
    now -= 3
    credentials.secret_key = "changed"
    changed = signer.signed("GET", url, {}, b"")["Authorization"]
    assert changed == theirs(credentials, "GET", url, {}, b"", "us-east-1") != first
