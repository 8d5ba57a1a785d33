"""The accounts on a real MinIO: each can do its work, and none can destroy locked or held objects.

The table is in ``docs/design/threat-model.md``.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from archive import keys
from archive.clock import SystemClock
from archive.errors import Refused
from archive.footage.trials import Sighting, TrialBoard
from archive.ports import Content, Lock, LockMode, Stores
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, SECOND, Timespan, as_datetime
from ops.provision import ACCOUNTS, provision_accounts
from recorder.backfill.witnesses import Witnesses
from tests.support.camera_clocks import journalled, register, witness
from tests.support.proxies import RECORDER, City, city_of
from tests.support.servers import REGION, FreshBuckets
from tests.support.stores import wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NAMES = [*(one.name for one in ACCOUNTS), f"recorder-{RECORDER}"]
SEGMENT = keys.segment_key("cam-1", 1_700_000_000 * SECOND, "0123456789abcdef", 1, "ab" * 32)
LEDGER = keys.ledger_key("hold", "case-1", 1)
CHECKPOINT = "checkpoints/0000000001/checkpoint"
EVIDENCE = "evidence/EVD-2026-0123456789/tagmanifest-sha256.txt"


@pytest.fixture(scope="module")
def city(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city_of(fresh_buckets, tmp_path_factory.mktemp("keys")) as made:
        yield made


@dataclass(frozen=True)
class Prey:
    """One object that must survive: its place, and its protection."""

    part: str
    key: str
    version: str
    lock: Lock
    held: bool


def prey(root: Stores, key: str, *, held: bool, number: int) -> Prey:
    """An object that root put, as the programs would have."""
    store = root.footage if key == SEGMENT else root.records
    lock = Lock(LockMode.GOVERNANCE, (SystemClock().now() + 2 * DAY) // SECOND * SECOND)
    name = key.replace("cam-1", f"cam-{number}").replace("case-1", f"case-{number}")
    name = name.replace("0000000001/", f"{number:010d}/").replace("0123456789/", f"{number:010d}/")
    stored = store.put(name, Content.of_bytes(name.encode()), lock=lock, hold=held)
    return Prey("footage" if key == SEGMENT else "records", name, stored.version, lock, held)


def attacks(client: "S3Client", bucket: str, one: Prey) -> list[Callable[[], Any]]:
    """All requests by which a thief of an account's key could destroy an object."""
    where: dict[str, Any] = {"Bucket": bucket, "Key": one.key, "VersionId": one.version}
    sooner = as_datetime(one.lock.until - DAY)
    # Soon, so that a lock that succeeds ends shortly after the test.
    soon = as_datetime(SystemClock().now() + 60 * SECOND)
    found: list[Callable[[], Any]] = []
    for bypass in ({}, {"BypassGovernanceRetention": True}):
        for retention in ({"Mode": "GOVERNANCE", "RetainUntilDate": sooner}, {}):
            found.append(lambda r=retention, b=bypass: client.put_object_retention(**where, Retention=r, **b))
        found.append(lambda b=bypass: client.delete_object(**where, **b))
        found.append(
            lambda b=bypass: client.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": one.key, "VersionId": one.version}]}, **b
            )
        )
        found.append(
            lambda b=bypass: client.put_object_retention(
                **where, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon}, **b
            )
        )
    found.append(lambda: client.put_object(Bucket=bucket, Key=one.key, Body=b"forged"))
    found.append(
        lambda: client.copy_object(
            Bucket=bucket,
            Key=one.key,
            CopySource={"Bucket": bucket, "Key": one.key},
            MetadataDirective="REPLACE",
        )
    )
    found.append(lambda: client.delete_object(Bucket=bucket, Key=one.key))
    return found


def strike(city: City, account: str, one: Prey, *, proxy: bool) -> None:
    client = city.client(account, proxy=proxy)
    bucket = city.buckets.name if one.part == "footage" else f"{city.buckets.name}-records"
    for attack in attacks(client, bucket, one):
        with contextlib.suppress(ClientError):
            attack()


@pytest.mark.parametrize("account", NAMES)
def test_behind_the_proxy_nobody_deletes_shortens_clears_converts_or_shadows(
    city: City, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = city.root_stores(monkeypatch)
    number = NAMES.index(account) + 1
    for key in (SEGMENT, LEDGER, CHECKPOINT, EVIDENCE):
        for held in (False, True):
            one = prey(root, key, held=held, number=number * 10 + held)
            strike(city, account, one, proxy=True)
            store = root.footage if one.part == "footage" else root.records
            head = store.head(one.key, version=one.version)
            assert (head.lock, head.held) == (one.lock, held)
            # The retention account can make a delete marker with a batch, whose body the proxy does not read.
            kept = [v.version for v in store.versions(one.key) if not v.deleted]
            assert kept == [one.version]


@pytest.mark.parametrize("account", NAMES)
def test_without_the_proxy_nobody_deletes_what_is_held(
    city: City, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = city.root_stores(monkeypatch)
    one = prey(root, SEGMENT, held=True, number=1000 + NAMES.index(account))
    strike(city, account, one, proxy=False)
    head = root.footage.head(one.key, version=one.version)
    assert head.held
    assert root.footage.get(one.key) == one.key.encode()


def test_only_the_holds_account_changes_a_hold(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    root = city.root_stores(monkeypatch)
    one = prey(root, SEGMENT, held=True, number=77)
    for proxy in (True, False):
        for account in NAMES:
            stores = city.stores(monkeypatch, account, proxy=proxy)
            if account == "holds":
                stores.footage.release_hold(one.key, version=one.version)
                stores.footage.place_hold(one.key, version=one.version)
                continue
            with pytest.raises(Refused) as caught:
                stores.footage.release_hold(one.key, version=one.version)
            assert caught.value.code == "store_access_denied"


def test_only_the_retention_account_deletes_what_has_expired(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = city.root_stores(monkeypatch)
    lock = Lock(LockMode.GOVERNANCE, SystemClock().now() + 8 * SECOND)
    key = SEGMENT.replace("cam-1", "cam-expired")
    stored = root.footage.put(key, Content.of_bytes(b"old"), lock=lock)
    retention = city.stores(monkeypatch, "retention")
    with pytest.raises(Refused) as caught:
        retention.footage.delete_version(key, version=stored.version)
    assert caught.value.code == "under_retention"
    wait_until(lock.until)
    for account in NAMES:
        if account != "retention":
            with pytest.raises(Refused):
                city.stores(monkeypatch, account, proxy=False).footage.delete_version(
                    key, version=stored.version
                )
    retention.footage.delete_version(key, version=stored.version)
    assert list(root.footage.versions(key)) == []


def test_locks_account_lengthens_and_nothing_else(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    root = city.root_stores(monkeypatch)
    one = prey(root, SEGMENT, held=False, number=88)
    longer = Lock(LockMode.GOVERNANCE, one.lock.until + DAY)
    city.stores(monkeypatch, "locks").footage.extend_lock(one.key, longer, version=one.version)
    assert root.footage.head(one.key).lock == longer
    for account in NAMES:
        if account != "locks":
            with pytest.raises(Refused):
                city.stores(monkeypatch, account).footage.extend_lock(
                    one.key, Lock(LockMode.GOVERNANCE, longer.until + DAY), version=one.version
                )


def test_nobody_locks_footage_or_ledger_in_compliance_mode(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a lock on ordinary footage could force the city to keep what the law orders it to destroy."""
    lock = Lock(LockMode.COMPLIANCE, SystemClock().now() + 5 * SECOND)
    for number, account in enumerate(NAMES):
        stores = city.stores(monkeypatch, account, proxy=False)
        for store, key in (
            (stores.footage, SEGMENT.replace("cam-1", f"hard-{number}")),
            (stores.records, keys.ledger_key("evidence", f"hard-{number}", 1)),
            (stores.footage, f"canary/hard-{number}"),
        ):
            with pytest.raises(Refused):
                store.put(key, Content.of_bytes(b"x"), lock=lock)


def test_expired_footage_is_not_locked_in_compliance_mode_afterwards(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MinIO lets an account with the right to lock replace an expired lock; the policy denies the mode."""
    root = city.root_stores(monkeypatch)
    lock = Lock(LockMode.GOVERNANCE, SystemClock().now() + SECOND)
    key = SEGMENT.replace("cam-1", "cam-over")
    stored = root.footage.put(key, Content.of_bytes(b"old"), lock=lock)
    wait_until(lock.until)
    hard = {"Mode": "COMPLIANCE", "RetainUntilDate": as_datetime(SystemClock().now() + 5 * SECOND)}
    for account in ("locks", f"recorder-{RECORDER}"):
        with pytest.raises(ClientError) as caught:
            city.client(account, proxy=False).put_object_retention(
                Bucket=city.buckets.name, Key=key, VersionId=stored.version, Retention=hard
            )
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_recorder_reads_no_footage_and_writes_no_other_recorders_journal(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = city.root_stores(monkeypatch)
    one = prey(root, SEGMENT, held=False, number=99)
    stores = city.stores(monkeypatch, f"recorder-{RECORDER}", proxy=False)
    for act in (
        lambda: stores.footage.get(one.key),
        lambda: stores.footage.get(one.key, version=one.version),
        lambda: list(stores.footage.list("segments/")),
        lambda: list(stores.records.list("ledger/request/")),
        lambda: stores.records.put("journal/2026/01/01/00/rec-2_0000000001.jsonl", Content.of_bytes(b"x")),
        lambda: stores.records.put("ledger/recorder/rec-2/00000001.json", Content.of_bytes(b"x")),
        lambda: stores.records.put("ledger/hold/case/00000001.json", Content.of_bytes(b"x")),
        lambda: stores.records.put("custody/2026/01/01/00/w_0000000001.jsonl", Content.of_bytes(b"x")),
        lambda: stores.records.put("evidence/EVD-2026-0123456789/x", Content.of_bytes(b"x")),
    ):
        with pytest.raises(Refused):
            act()


def test_what_a_camera_said_of_its_clock_a_recorder_reads_in_its_own_journal_alone(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SystemClock()
    records, began = city.root_stores(monkeypatch).records, clock.now() - 10 * MINUTE
    for number, recorder in enumerate((RECORDER, "rec-2"), 77):
        register(Ledger(records, clock), recorder)
        one = witness(began, recorder=recorder, camera=f"kam-{recorder}")
        journalled(records, [one], number=number, at=began + MINUTE, recorder=recorder)
    hole = Timespan(began + 2 * MINUTE, began + 4 * MINUTE)

    def found(account: str) -> list[int]:
        """How many segments before the hole the account finds, of this recorder and of another."""
        store = city.stores(monkeypatch, account, proxy=False).records
        told = Witnesses(store, Ledger(store, clock), clock)
        return [len(told.around(f"kam-{one}", hole)) for one in (RECORDER, "rec-2")]

    assert found("api") == [1, 1]
    assert found(f"recorder-{RECORDER}") == [1, 0]


def test_a_recorder_reads_orders_of_connection_tests_and_writes_answers_only(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SystemClock()
    api = TrialBoard(city.stores(monkeypatch, "api", proxy=False).cache, clock)
    trial = api.order("user:ada", camera="", source="rtsp://192.0.2.9/1", sealed_source="sealed")
    cache = city.stores(monkeypatch, f"recorder-{RECORDER}", proxy=False).cache
    board = TrialBoard(cache, clock)
    (order,) = [one for one in board.orders(()) if one.id == trial.id]
    assert order.sealed_source == "sealed"
    assert board.take(order, RECORDER)
    assert not board.take(order, "rec-2")
    seen = Sighting(codec="avc1.640028", width=640, height=360, mfps=15_000, sound="")
    board.answer(order, RECORDER, seen, b"\xff\xd8")
    for act in (
        lambda: cache.get(f"trials/asked/{trial.id}.json"),
        lambda: cache.get(f"trials/answers/{trial.id}/still.jpg"),
        lambda: cache.put(f"trials/orders/{trial.id}-2.json", Content.of_bytes(b"{}")),
        lambda: cache.delete_version(f"trials/orders/{trial.id}.json", version="null"),
        lambda: list(cache.list("headers/")),
    ):
        with pytest.raises(Refused):
            act()
    assert api.find("user:ada", trial.id).seen == seen


@pytest.mark.parametrize(
    ("account", "kinds"),
    [
        (f"recorder-{RECORDER}", ("hold",)),
        ("holds", ("hold",)),
        ("seal", ("evidence",)),
        ("api", ("request", "evidence", "hold")),
    ],
)
def test_who_follows_streams_may_list_their_names_and_each(
    city: City, account: str, kinds: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an archive of several years, only streams that have not ended are listed."""
    root = city.root_stores(monkeypatch)
    for kind in kinds:
        root.records.put(f"ledger/{kind}/stream-1/00000001.json", Content.of_bytes(b"{}"))
    records = city.stores(monkeypatch, account, proxy=False).records
    for kind in kinds:
        assert f"ledger/{kind}/stream-1/" in list(records.common_prefixes(f"ledger/{kind}/"))
        assert [one.size for one in records.list(f"ledger/{kind}/stream-1/")] == [2]


@pytest.mark.parametrize("account", [name for name in NAMES if name not in {"seal", "log"}])
def test_only_seal_and_log_write_what_is_signed(
    city: City, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = city.stores(monkeypatch, account, proxy=False)
    for key in ("evidence/EVD-2026-0123456789/x", "checkpoints/0000000009/checkpoint"):
        with pytest.raises(Refused):
            stores.records.put(key, Content.of_bytes(b"x"))


def test_secrets_are_files_for_their_owner_alone_and_stay_unless_rotated(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, name = city.buckets.server, city.buckets.name

    def again(folder: Path, *, rotate: bool = False) -> tuple[bool, str]:
        made = provision_accounts(
            server.url, server.access_key, server.secret_key, name, ACCOUNTS[-1:],
            keys_dir=folder, rotate=rotate, region=REGION,
        )  # fmt: skip
        return made[0].fresh, made[0].environment.read_text()

    with pytest.raises(Refused) as caught:
        again(tmp_path)
    assert caught.value.code == "account_secret_elsewhere"
    assert not list((tmp_path / "store-accounts").iterdir())
    fresh, first = again(tmp_path, rotate=True)
    assert fresh
    assert again(tmp_path) == (False, first)
    path = next((tmp_path / "store-accounts").iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    rotated = again(tmp_path, rotate=True)[1]
    assert rotated != first
    secret = rotated.split("AWS_SECRET_ACCESS_KEY=")[1].strip()
    assert secret not in "".join(capsys.readouterr())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"{name}-{ACCOUNTS[-1].name}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    city.accounts[ACCOUNTS[-1].name] = type(server)(server.url, f"{name}-{ACCOUNTS[-1].name}", secret)
    assert list(city.stores(monkeypatch, ACCOUNTS[-1].name).footage.list("segments/nothing/")) == []
