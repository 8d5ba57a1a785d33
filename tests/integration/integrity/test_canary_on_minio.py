"""The canary on MinIO: red without the proxy, green behind it, red on a store that only pretends to lock."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from archive.clock import SystemClock
from archive.errors import IntegrityError
from archive.integrity.canary import AttackOutcome, Canary, Report, Watch
from archive.objects.attacks import Bypass
from archive.objects.locations import S3Location, open_attacks, open_stores
from archive.records.integrity_incidents import incidents
from archive.records.ledger.streams import Ledger
from ops.provision import ACCOUNTS
from tests.support.proxies import RECORDER, City, city_of
from tests.support.servers import REGION, FreshBuckets, MinioServer
from tests.support.stores import use_credentials

NAMES = [*(one.name for one in ACCOUNTS), f"recorder-{RECORDER}"]
CLEARED = {"canary_lock_cleared", "canary_lock_hardened"}


@pytest.fixture(scope="module")
def city(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city_of(fresh_buckets, tmp_path_factory.mktemp("keys")) as made:
        yield made


def canary(patch: pytest.MonkeyPatch, server: MinioServer, name: str) -> tuple[Canary, Ledger, Watch]:
    use_credentials(patch, server)
    clock = SystemClock()
    location = S3Location(name, server.url, REGION)
    stores = open_stores(location, clock, pool_size=4)
    ledger = Ledger(stores.records, clock, lock_days=1)
    return (
        Canary(open_attacks(location, stores), ledger, clock),
        ledger,
        Watch(ledger, stores.records, clock),
    )


def broken(report: Report) -> set[tuple[str, Bypass]]:
    return {(one.code, one.bypass) for one in report.broken}


@pytest.mark.parametrize("account", NAMES)
def test_behind_the_proxy_every_account_finds_every_promise_kept(
    city: City, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flying, _, _ = canary(monkeypatch, city.through(account, proxy=True), city.buckets.name)
    report = flying.fly()
    assert report.account == f"{city.buckets.name}-{account}"
    assert {one.bucket for one in report.findings} == {"footage", "records"}
    assert report.broken == []
    # Every attack was refused, and was really tried: a canary that tries nothing would also be green.
    assert {one.outcome for one in report.findings} <= {AttackOutcome.REFUSED, AttackOutcome.NOT_PERMITTED}
    assert len(report.findings) == 24


@pytest.mark.parametrize("account", ["api", "retention", "root"])
def test_on_a_plain_minio_it_is_red_says_what_broke_and_that_held_objects_stand(
    city: City, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = city.buckets.server if account == "root" else city.through(account, proxy=False)
    flying, _, _ = canary(monkeypatch, server, city.buckets.name)
    report = flying.look()
    found = broken(report)
    assert {(code, Bypass.CLAIMED) for code in CLEARED} <= found
    assert {one.bucket for one in report.broken} == {"footage", "records"}
    assert any("its lock is gone" in one.message for one in report.broken)
    assert all(bypass is Bypass.CLAIMED for _, bypass in found)
    assert ("canary_deleted" in {code for code, _ in found}) == (account == "root")
    held = [one for one in report.findings if one.code == "canary_held_deleted"]
    assert len(held) == 4
    assert {one.outcome for one in held} <= {AttackOutcome.REFUSED, AttackOutcome.NOT_PERMITTED}
    # A later version can be put, but our readers ignore it.
    shadow = [one for one in report.findings if one.code == "canary_reader_fooled"]
    assert {one.outcome for one in shadow} == {AttackOutcome.ACCEPTED}


def test_what_broke_is_on_record_once_and_seen_by_the_watch(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    flying, ledger, watch = canary(monkeypatch, city.through("fixity", proxy=False), city.buckets.name)
    watch.check()
    flying.fly()
    first = {one.id: one.version for one in incidents(ledger)}
    assert first
    flying.fly()
    assert {one.id: one.version for one in incidents(ledger)} == first
    assert {one.code for one in incidents(ledger)} >= CLEARED
    watch.check()  # it reads at most every 30 s
    _, _, fresh = canary(monkeypatch, city.through("api", proxy=True), city.buckets.name)
    with pytest.raises(IntegrityError) as caught:
        fresh.check()
    assert caught.value.code == "archive_not_protected"
    assert "canary_lock_cleared" in caught.value.message


class _Pretender(BaseHTTPRequestHandler):
    """A store that accepts lock headers and ignores them: behind it is a MinIO without locks."""

    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.forward(self.command, self.path, dict(self.headers), body)  # type: ignore[attr-defined]
        self.send_response(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)) if self.command != "HEAD" else "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Store(ThreadingHTTPServer):
    """Signs forwarded requests again, so that it can drop or add headers."""

    daemon_threads = True

    def __init__(self, server: MinioServer, *, drop: tuple[str, ...], bypass: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Pretender)
        self._to, self._drop, self._bypass = server, drop, bypass
        self._client = httpx.Client(trust_env=False, timeout=20)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        kept = {
            name: value
            for name, value in headers.items()
            if name.lower()
            not in {"host", "authorization", "connection", "expect", "content-length", *self._drop}
        }
        if self._bypass and method == "DELETE":
            kept["x-amz-bypass-governance-retention"] = "true"
        request = AWSRequest(method, self._to.url + path, headers=kept, data=body)
        S3SigV4Auth(Credentials(self._to.access_key, self._to.secret_key), "s3", REGION).add_auth(request)
        return self._client.request(
            method, self._to.url + path, headers=dict(request.headers.items()), content=body
        )


@pytest.fixture
def pretender(city: City) -> Iterator[Callable[..., MinioServer]]:
    started: list[_Store] = []

    def start(*, drop: tuple[str, ...] = (), bypass: bool = False) -> MinioServer:
        store = _Store(city.buckets.server, drop=drop, bypass=bypass)
        threading.Thread(target=store.serve_forever, daemon=True).start()
        started.append(store)
        return replace(city.buckets.server, url=f"http://127.0.0.1:{store.server_address[1]}")

    yield start
    for store in started:
        store.shutdown()
        store.server_close()


def test_a_store_that_drops_the_lock_is_caught(
    city: City, pretender: Callable[..., MinioServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = pretender(drop=("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"))
    flying, _, _ = canary(monkeypatch, server, city.buckets.name)
    report = flying.look()
    assert {one.code for one in report.broken} == {"canary_lock_not_kept"}
    assert {one.bucket for one in report.broken} == {"footage", "records"}


def test_a_store_that_drops_the_hold_is_caught(
    city: City, pretender: Callable[..., MinioServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = pretender(drop=("x-amz-object-lock-legal-hold",))
    flying, _, _ = canary(monkeypatch, server, city.buckets.name)
    assert {one.code for one in flying.look().broken} == {"canary_hold_not_kept"}


def test_a_store_that_keeps_locks_and_deletes_all_the_same_is_caught(
    city: City, pretender: Callable[..., MinioServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root through this proxy every deletion claims the bypass, as on stores that do not enforce locks."""
    server = pretender(bypass=True)
    flying, _, _ = canary(monkeypatch, server, city.buckets.name)
    assert ("canary_deleted", Bypass.NO) in broken(flying.look())


def test_its_objects_are_in_no_listing_of_segments_or_records(
    city: City, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stores = city.root_stores(monkeypatch)
    assert list(stores.footage.list("canary/"))
    for prefix in ("segments/",):
        assert list(stores.footage.list(prefix)) == []
    for prefix in ("journal/", "custody/", "checkpoints/", "evidence/"):
        assert list(stores.records.list(prefix)) == []
