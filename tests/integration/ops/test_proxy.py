"""The proxy in front of MinIO passes the programs' requests unchanged, and nothing else."""

import http.client
import io
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from archive.clock import SystemClock
from archive.errors import AlreadyExists, Malformed, Refused, Unavailable
from archive.ports import Content, Lock, LockMode
from archive.timespan import DAY
from ops.deploy import proxy_configuration
from ops.stack import Stack
from tests.support.proxies import RECORDER, City, city_of
from tests.support.servers import REGION, FreshBuckets
from tests.support.stores import patterned

RECORDER_ACCOUNT = f"recorder-{RECORDER}"


@pytest.fixture(scope="module")
def city(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city_of(fresh_buckets, tmp_path_factory.mktemp("keys")) as made:
        yield made


def lock() -> Lock:
    return Lock(LockMode.GOVERNANCE, SystemClock().now() + DAY)


def ask(
    city: City,
    account: str,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, str]:
    """A signed request whose path and headers are sent unchanged."""
    reached = city.through(account, proxy=True)
    parts = urlsplit(reached.url)
    request = AWSRequest(method, reached.url + target, headers=headers or {}, data=body)
    request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    SigV4Auth(Credentials(reached.access_key, reached.secret_key), "s3", REGION).add_auth(request)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request(method, target, body=body, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def test_segments_of_every_size_go_through_and_come_back(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = city.stores(monkeypatch, RECORDER_ACCOUNT)
    api = city.stores(monkeypatch, "api")
    for number, size in enumerate((0, 1, 70_000, 40 << 20)):
        content = patterned(size)
        key = f"segments/cam-1/size-{number}"
        stored = recorder.footage.put(key, content, lock=lock(), metadata={"leaf": '{"a": "b c"}'})
        assert stored.created
        head = api.footage.head(key)
        assert (head.sha256, head.size, head.lock is not None) == (content.sha256, size, True)
        assert head.metadata == {"leaf": '{"a": "b c"}'}
        with content.open() as reader:
            whole = reader.read()
        assert b"".join(api.footage.stream(key)) == whole
        if size > 10:
            assert api.footage.read(key, 7, 3) == whole[7:10]
    assert [one.key for one in api.footage.list("segments/cam-1/size-")] == [
        f"segments/cam-1/size-{number}" for number in range(4)
    ]


def test_put_if_absent_is_put_if_absent_through_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    api = city.stores(monkeypatch, "api")
    key = "ledger/camera/once/00000001.json"
    assert api.records.put(key, Content.of_bytes(b"one"), lock=lock()).created
    assert not api.records.put(key, Content.of_bytes(b"one"), lock=lock()).created
    with pytest.raises(AlreadyExists):
        api.records.put(key, Content.of_bytes(b"two"), lock=lock())


def test_bodies_in_signed_chunks_and_with_expect_pass(city: City) -> None:
    class NoLength(io.RawIOBase):
        """A body that botocore can only send in chunks, with a trailing checksum."""

        def __init__(self) -> None:
            self._rest = io.BytesIO(os.urandom(300_000))

        def readable(self) -> bool:
            return True

        def read(self, amount: int = -1) -> bytes:
            return self._rest.read(amount)

        def seek(self, offset: int, whence: int = 0) -> int:
            return self._rest.seek(offset, whence)

        def tell(self) -> int:
            return self._rest.tell()

        def seekable(self) -> bool:
            return True

    client = city.client("api")
    client.put_object(
        Bucket=f"{city.buckets.name}-cache",
        Key="chunked",
        Body=NoLength(),
        IfNoneMatch="*",
        ChecksumAlgorithm="CRC32",
    )
    assert client.head_object(Bucket=f"{city.buckets.name}-cache", Key="chunked")["ContentLength"] == 300_000


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-bypass-governance-retention": "true"},
        {"X-Amz-Bypass-Governance-Retention": "TRUE"},
        {"x-amz-bypass-governance-retention": "false"},
        {"x-amz-copy-source": "/b/k"},
        {"x-minio-extract": "true"},
        {"x-amz-meta-snowball-auto-extract": "true"},
    ],
)
def test_headers_that_nobody_may_use(city: City, headers: dict[str, str]) -> None:
    target = f"/{city.buckets.name}-cache/any"
    status, text = ask(city, "api", "PUT", target, headers | {"if-none-match": "*"}, b"x")
    assert (status, "may not be used by anyone" in text) == (403, True)


@pytest.mark.parametrize(
    "query",
    [
        "retention",
        "retention=",
        "versionId=null&retention",
        "%72etention&versionId=null",
        "retention&versionId=null&x=1",
        "RETENTION&versionId=null",
        "tagging",
        "acl",
        "uploads",
        "partNumber=1&uploadId=x",
    ],
)
def test_no_subresource_slips_through_in_another_spelling(city: City, query: str) -> None:
    for account in (RECORDER_ACCOUNT, "api", "retention"):
        target = f"/{city.buckets.name}/segments/cam-1/x?{query}"
        status, text = ask(city, account, "PUT", target, {"if-none-match": "*"}, b"")
        assert (status, "AccessDenied" in text) == (403, True)
        assert "proxy" in text or "This account" in text, "MinIO refused it, so the proxy had let it pass"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/{name}"),
        ("PUT", "/{name}?object-lock"),
        ("PUT", "/{name}?versioning"),
        ("PUT", "/{name}?policy"),
        ("DELETE", "/{name}"),
        ("DELETE", "/{name}/segments/x"),
        ("DELETE", "/{name}-records/ledger/x"),
        ("POST", "/"),
        ("POST", "/{name}?delete&x"),
        ("POST", "/{name}/k?uploads"),
        ("GET", "/"),
        ("GET", "/minio/admin/v3/info"),
        ("GET", "//minio/admin/v3/info"),
        ("GET", "/%6dinio/admin/v3/info"),
        ("GET", "/minio/health/../admin/v3/info"),
        ("PUT", "/minio/admin/v3/add-service-account"),
        ("GET", "/{name}/../minio/admin/v3/info"),
        ("GET", "/{name}/x/./y"),
        ("PUT", "/{name}/segments//x"),
        ("GET", "/another-bucket/key"),
        ("PUT", "/{name}/seg%6dents/x"),
        ("PUT", "/{name}//segments/x/../y?retention"),
        ("PATCH", "/{name}/segments/x"),
    ],
)
def test_requests_that_no_program_of_ours_makes(city: City, method: str, path: str) -> None:
    status, text = ask(city, "retention", method, path.format(name=city.buckets.name), {"if-none-match": "*"})
    assert status in {400, 403}
    if status == 403:
        assert "proxy" in text or "account" in text


def test_root_strangers_signed_urls_and_the_unsigned_do_not_pass(city: City) -> None:
    target = f"/{city.buckets.name}/segments/cam-1/size-1"
    city.accounts["root"] = city.buckets.server
    try:
        assert ask(city, "root", "GET", target)[0] == 403
    finally:
        del city.accounts["root"]
    parts = urlsplit(city.proxy_url)
    url = city.client("api").generate_presigned_url(
        "get_object", Params={"Bucket": city.buckets.name, "Key": "segments/cam-1/size-1"}
    )
    for path, headers in ((target, {}), (url.removeprefix(city.proxy_url), {})):
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        connection.request("GET", path, headers=headers)
        assert connection.getresponse().status == 403
        connection.close()


def test_a_request_cannot_name_one_account_and_be_signed_by_another(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy checks the account's name; MinIO verifies that the account's secret signed."""
    recorder = city.stores(monkeypatch, RECORDER_ACCOUNT)
    stored = recorder.footage.put("segments/cam-1/forged", Content.of_bytes(b"f"), lock=lock())
    locks, api = city.through("locks", proxy=True), city.through("api", proxy=True)
    city.accounts["forger"] = type(locks)(api.url, locks.access_key, api.secret_key)
    target = f"/{city.buckets.name}/segments/cam-1/forged?retention&versionId={stored.version}"
    try:
        status, text = ask(city, "forger", "PUT", target, body=b"<Retention/>")
    finally:
        del city.accounts["forger"]
    assert (status, "SignatureDoesNotMatch" in text) == (403, True)


def test_a_second_authorization_header_fools_nobody(city: City) -> None:
    locks, recorder = city.through("locks", proxy=True), city.through(RECORDER_ACCOUNT, proxy=True)
    target = f"/{city.buckets.name}/segments/cam-1/size-1?retention&versionId=null"
    signed = AWSRequest("PUT", recorder.url + target, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    SigV4Auth(Credentials(recorder.access_key, recorder.secret_key), "s3", REGION).add_auth(signed)
    own = signed.headers["Authorization"]
    other = own.replace(recorder.access_key, locks.access_key)
    for pair in ((own, other), (other, own)):
        connection = http.client.HTTPConnection(urlsplit(recorder.url).netloc, timeout=20)
        connection.putrequest("PUT", target)
        for name, value in signed.headers.items():
            if name != "Authorization":
                connection.putheader(name, value)
        for value in pair:
            connection.putheader("Authorization", value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in {400, 403}
        connection.close()


def test_a_plain_put_is_refused_with_a_reason(city: City) -> None:
    with pytest.raises(ClientError, match="A put must be a put-if-absent"):
        city.client(RECORDER_ACCOUNT).put_object(
            Bucket=city.buckets.name, Key="segments/cam-1/plain", Body=b"x"
        )


def test_refusals_reach_programs_as_errors_of_ours(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    api = city.stores(monkeypatch, "api")
    head = api.footage.head("segments/cam-1/size-1")
    with pytest.raises(Refused) as caught:
        api.footage.extend_lock(
            head.key, Lock(LockMode.GOVERNANCE, SystemClock().now() + 3 * DAY), version=head.version
        )
    assert caught.value.code == "store_access_denied"


@pytest.mark.parametrize(
    "changed",
    [
        {"listen": "10.0.0.1;x:90"},
        {"listen": "nowhere"},
        {"store": "10.0.0.1:9000; }"},
        {"archive": "Bad_Name"},
    ],
)
def test_a_configuration_is_made_of_addresses_alone(changed: dict[str, Any]) -> None:
    fields = {"archive": "saksi", "listen": "127.0.0.1:9080", "store": "127.0.0.1:9000"} | changed
    with pytest.raises(Malformed):
        proxy_configuration(fields["archive"], listen=fields["listen"], store=fields["store"])


def test_the_stack_has_it_as_an_optional_part(disposable_stack: Stack) -> None:
    with pytest.raises(Unavailable) as caught:
        disposable_stack.up(["proxy"])
    assert caught.value.code == "stack_proxy_alone"
    disposable_stack.up(["minio"])
    assert {one.name for one in disposable_stack.up(["proxy"])} == {"proxy"}
    url = disposable_stack.env()["SAKSI_TEST_PROXY_URL"]
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{url}/minio/health/live").status_code == 200
        assert client.get(f"{url}/saksi/key").status_code == 403
    disposable_stack.stop("proxy")
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
        client.get(f"{url}/minio/health/live")
