"""botocore's list of AWS's endpoints is read for AWS alone."""

import pytest
from botocore.loaders import JSONFileLoader

from archive.objects.s3 import connect


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that botocore reads its data from."""
    names: list[str] = []
    original = JSONFileLoader.load_file

    def load(self: JSONFileLoader, path: str) -> object:
        names.append(path.rpartition("/")[2])
        return original(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", load)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return names


def test_a_store_with_its_own_address_needs_no_list(read: list[str]) -> None:
    client = connect("https://store.example:9000", "id-mks-1").client
    assert "endpoints" not in read
    assert "service-2" in read
    assert (client.meta.endpoint_url, client.meta.region_name) == ("https://store.example:9000", "id-mks-1")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "saksi", "Key": "a/b"})
    assert url.startswith("https://store.example:9000/saksi/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "%2Fid-mks-1%2Fs3%2Faws4_request" in url


def test_aws_has_its_addresses_from_the_list(read: list[str]) -> None:
    client = connect(None, "ap-southeast-3").client
    assert "endpoints" in read
    assert client.meta.endpoint_url == "https://s3.ap-southeast-3.amazonaws.com"
