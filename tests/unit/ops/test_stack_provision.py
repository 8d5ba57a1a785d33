import pytest

from archive.errors import Malformed, Unavailable
from ops.provision import provision
from ops.stack import ports


def attempt(endpoint: str, name: str = "archive", days: int = 1) -> None:
    provision(endpoint, "user", "password", name, footage_floor_days=days, records_lock_days=1)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:19000", "ftp://host", "http://", "http://host/path"])
def test_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(Malformed) as caught:
        attempt(endpoint)
    assert caught.value.code == "store_endpoint_invalid"


def test_bucket_name_that_no_store_accepts() -> None:
    with pytest.raises(Malformed) as caught:
        attempt("http://127.0.0.1:9", name="Not_A_Bucket!")
    assert caught.value.code == "bucket_name_invalid"


def test_lock_of_no_length() -> None:
    with pytest.raises(Malformed) as caught:
        attempt("http://127.0.0.1:9", days=0)
    assert caught.value.code == "lock_days_invalid"


def test_store_that_is_not_there() -> None:
    with pytest.raises(Unavailable) as caught:
        attempt(f"http://127.0.0.1:{ports.free()}")
    assert caught.value.code == "store_unavailable"
    assert caught.value.retryable
