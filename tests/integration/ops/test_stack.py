"""The stack with the real servers."""

import json
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from botocore.exceptions import ClientError

from archive.errors import Refused
from ops.provision import provision
from ops.stack import Places, Stack, State
from tests.support.servers import (
    REGION,
    ElasticServer,
    FreshBuckets,
    MediamtxServer,
    MinioServer,
    remove_bucket,
)


def server_of(stack: Stack) -> MinioServer:
    env = stack.env()
    return MinioServer(env["SAKSI_TEST_MINIO_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_second_up_takes_no_step_and_changes_nothing(disposable_stack: Stack) -> None:
    parts = ["minio", "mediamtx"]
    first = disposable_stack.up(parts)
    assert [status.state for status in first] == [State.RUNNING] * 2
    steps: list[str] = []  # it tells of each that takes time
    again = Stack(disposable_stack.state_dir, Places.from_environment().cache_dir, progress=steps.append)
    assert again.up(parts) == first, "the same processes, started at the same moment"
    assert steps == []
    disposable_stack.down()
    assert {status.state for status in disposable_stack.status()} == {State.STOPPED}


def test_killed_minio_keeps_what_it_acknowledged(disposable_stack: Stack) -> None:
    disposable_stack.start("minio")
    server = server_of(disposable_stack)
    client = server.client()
    put = client.put_object(Bucket="saksi", Key="segments/one", Body=b"footage")
    disposable_stack.kill("minio")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)
    disposable_stack.start("minio")
    assert server_of(disposable_stack) == server
    found = client.get_object(Bucket="saksi", Key="segments/one", VersionId=put["VersionId"])
    assert found["Body"].read() == b"footage"
    retain_until = found["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert found["ObjectLockMode"] == "GOVERNANCE"
    assert timedelta(hours=23) < retain_until <= timedelta(days=1)


def test_killed_elasticsearch_keeps_what_it_acknowledged(disposable_stack: Stack) -> None:
    disposable_stack.start("elasticsearch")
    url = disposable_stack.env()["SAKSI_INDEX_URL"]
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        assert client.put("/things/_doc/1", json={"camera": "a"}).status_code == 201
        disposable_stack.kill("elasticsearch")
        disposable_stack.start("elasticsearch")
        assert client.get("/things/_doc/1").json()["_source"] == {"camera": "a"}


def test_mediamtx_takes_a_path_that_records(disposable_stack: Stack) -> None:
    disposable_stack.start("mediamtx")
    api = disposable_stack.env()["SAKSI_TEST_MEDIAMTX_API"]
    with httpx.Client(base_url=api, trust_env=False, timeout=30) as client:
        added = client.post("/v3/config/paths/add/camera", json={"record": True})
        assert added.is_success, added.text
        kept = client.get("/v3/config/paths/get/camera").json()
    assert kept["record"]
    assert kept["recordPath"].startswith(str(disposable_stack.state_dir))


def test_a_port_that_another_program_took_in_between_is_replaced(disposable_stack: Stack) -> None:
    rivals: list[socket.socket] = []
    told: list[str] = []

    def rival(said: str) -> None:  # listens on the port between its choice and the server's start, once
        told.append(said)
        if "starting v" in said and not rivals:
            configured = (disposable_stack.state_dir / "mediamtx" / "mediamtx.yml").read_text("utf-8")
            port = int(json.loads(configured)["rtspAddress"].rpartition(":")[2])
            rivals.append(socket.create_server(("127.0.0.1", port)))

    stack = Stack(disposable_stack.state_dir, Places.from_environment().cache_dir, progress=rival)
    try:
        stack.start("mediamtx")
        taken = rivals[0].getsockname()[1]
    finally:
        for one in rivals:
            one.close()
    (status,) = [part for part in stack.status() if part.name == "mediamtx"]
    assert status.state is State.RUNNING
    assert taken not in status.ports.values()
    assert "mediamtx: another program took its port meanwhile; starting again" in told


def test_servers_of_the_session_answer(
    minio_server: MinioServer, elastic_server: ElasticServer, mediamtx_server: MediamtxServer
) -> None:
    assert minio_server.client().list_buckets()["Buckets"]
    assert httpx.get(f"{elastic_server.url}/_cluster/health", trust_env=False).is_success
    assert httpx.get(f"{mediamtx_server.api_url}/v3/paths/list", trust_env=False).is_success
    assert mediamtx_server.rtsp_url.startswith("rtsp://")
    assert minio_server.secret_key not in repr(minio_server)


def test_index_prefix_is_cleaned_up(elastic_server: ElasticServer, fresh_index_prefix: str) -> None:
    made = httpx.put(f"{elastic_server.url}/{fresh_index_prefix}-segments", trust_env=False)
    assert made.is_success


# -- provisioning ------------------------------------------------------------------------------------


def again(buckets: FreshBuckets, name: str | None = None, **days: int) -> tuple[int | None, ...]:
    days = {"footage_floor_days": 1, "records_lock_days": 1, **days}
    server = buckets.server
    made = provision(
        server.url, server.access_key, server.secret_key, name or buckets.name, region=REGION, **days
    )
    return tuple(bucket.floor_days for bucket in made)


def test_provisioning_again_changes_nothing(fresh_buckets: FreshBuckets) -> None:
    assert again(fresh_buckets) == (1, 1, None)
    assert again(fresh_buckets) == (1, 1, None)


def test_locked_delete_is_refused_and_cache_delete_is_not(fresh_buckets: FreshBuckets) -> None:
    client = fresh_buckets.server.client()
    footage, records, cache = fresh_buckets.all_names
    for bucket in (footage, records):
        version = client.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
        with pytest.raises(ClientError, match="WORM protected") as caught:
            client.delete_object(Bucket=bucket, Key="key", VersionId=version)
        assert refusal(caught) in ("AccessDenied", "InvalidRequest")
        assert client.get_object(Bucket=bucket, Key="key", VersionId=version)["Body"].read() == b"x"
    client.put_object(Bucket=cache, Key="key", Body=b"x")
    client.delete_object(Bucket=cache, Key="key")
    with pytest.raises(ClientError) as caught:
        client.get_object(Bucket=cache, Key="key")
    assert refusal(caught) == "NoSuchKey"


def test_floor_is_raised_but_never_lowered(fresh_buckets: FreshBuckets) -> None:
    name = f"{fresh_buckets.name}-floor"
    try:
        assert again(fresh_buckets, name, footage_floor_days=2) == (2, 1, None)
        assert again(fresh_buckets, name, records_lock_days=3) == (2, 3, None)
        assert again(fresh_buckets, name) == (2, 3, None)
    finally:
        clear(fresh_buckets, name)


def test_bucket_without_lock_is_refused_and_left_alone(fresh_buckets: FreshBuckets) -> None:
    name = f"{fresh_buckets.name}-bare"
    client = fresh_buckets.server.client()
    client.create_bucket(Bucket=name)
    try:
        with pytest.raises(Refused) as caught:
            again(fresh_buckets, name)
        assert caught.value.code == "bucket_without_lock"
        assert name in caught.value.message
        assert "SAKSI_ARCHIVE_URL" in caught.value.hint
        assert f"{name}-records" not in {one["Name"] for one in client.list_buckets()["Buckets"]}
    finally:
        remove_bucket(client, name)


def test_default_that_nobody_could_undo_is_refused(fresh_buckets: FreshBuckets) -> None:
    name = f"{fresh_buckets.name}-hard"
    client = fresh_buckets.server.client()
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}},
        },
    )
    try:
        with pytest.raises(Refused) as caught:
            again(fresh_buckets, name)
        assert caught.value.code == "bucket_default_compliance"
    finally:
        remove_bucket(client, name)


def test_cache_that_locks_is_refused(fresh_buckets: FreshBuckets) -> None:
    name = f"{fresh_buckets.name}-stuck"
    client = fresh_buckets.server.client()
    client.create_bucket(Bucket=f"{name}-cache", ObjectLockEnabledForBucket=True)
    try:
        with pytest.raises(Refused) as caught:
            again(fresh_buckets, name)
        assert caught.value.code == "cache_bucket_locked"
    finally:
        clear(fresh_buckets, name)


def test_wrong_credentials(minio_server: MinioServer) -> None:
    for user, password in (("nobody", "password"), (minio_server.access_key, "wrong-password")):
        with pytest.raises(Refused) as caught:
            provision(
                minio_server.url, user, password, "unmade",
                footage_floor_days=1, records_lock_days=1, region=REGION,
            )  # fmt: skip
        assert caught.value.code == "store_credentials_wrong"


def clear(buckets: FreshBuckets, name: str) -> None:
    client = buckets.server.client()
    present = {one["Name"] for one in client.list_buckets()["Buckets"]}
    for bucket in FreshBuckets(buckets.server, name).all_names:
        if bucket in present:
            remove_bucket(client, bucket)
