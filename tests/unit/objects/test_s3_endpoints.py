"""Of botocore's list of AWS's addresses a store with its own address keeps only what it says of S3."""

import gc
from collections.abc import Iterator

import pytest
from botocore.regions import EndpointResolver

from archive.objects.s3 import connect


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


@pytest.fixture
def resolvers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EndpointResolver]]:
    """The lists that botocore keeps."""
    made: list[EndpointResolver] = []
    original = EndpointResolver.__init__

    def init(self: EndpointResolver, data: object, uses_builtin_data: bool = False) -> None:
        original(self, data, uses_builtin_data)  # type: ignore[arg-type]
        made.append(self)

    monkeypatch.setattr(EndpointResolver, "__init__", init)
    yield made
    made.clear()
    gc.collect()


def test_a_store_with_its_own_address_keeps_what_is_said_of_s3(resolvers: list[EndpointResolver]) -> None:
    client = connect("https://store.example:9000", "id-mks-1").client
    (resolver,) = resolvers
    assert resolver.get_available_endpoints("s3")
    assert not resolver.get_available_endpoints("ec2")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("https://store.example:9000", "id-mks-1")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "saksi", "Key": "a/b"})
    assert url.startswith("https://store.example:9000/saksi/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "%2Fid-mks-1%2Fs3%2Faws4_request" in url


def test_aws_keeps_the_whole_list(resolvers: list[EndpointResolver]) -> None:
    client = connect(None, "ap-southeast-3").client
    (resolver,) = resolvers
    assert resolver.get_available_endpoints("ec2")
    assert client.meta.endpoint_url == "https://s3.ap-southeast-3.amazonaws.com"
