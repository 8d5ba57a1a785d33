"""Index URLs."""

from pathlib import Path

import pytest

from archive.errors import Malformed
from search.elastic import ElasticIndex
from search.locations import open_index
from search.sqlite import SqliteIndex


def test_sqlite(tmp_path: Path) -> None:
    index = open_index(f"sqlite://{tmp_path}/a%20folder/index.sqlite")
    assert isinstance(index, SqliteIndex)
    assert (tmp_path / "a folder" / "index.sqlite").is_symlink()
    index.close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9200", "https://user:p%40ss@es.example:9200/path", "http://[::1]:9200"]
)
def test_elastic_is_not_asked_before_the_first_question(url: str) -> None:
    index = open_index(url, prefix="saksi-2")
    assert isinstance(index, ElasticIndex)
    index.close()


@pytest.mark.parametrize(
    "url",
    [
        "", "sqlite:", "sqlite://host/path", "sqlite:///", "sqlite:///x?y=1", "mysql://host/db", "http://",
        "http://host:0", "http://host:99999", "http://host:x", "http://[::1", "index.sqlite", "http:///path",
    ],
)  # fmt: skip
def test_bad_urls(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        open_index(url)
    assert caught.value.code == "bad_index_url"
    assert caught.value.hint


@pytest.mark.parametrize("prefix", ["", "Saksi", "a.b", "-a", "a" * 41, "a,b", "*", "a/b", "é"])
def test_bad_prefixes(prefix: str) -> None:
    with pytest.raises(Malformed) as caught:
        open_index("http://127.0.0.1:9200", prefix=prefix)
    assert caught.value.code == "bad_index_prefix"


def test_credentials_are_not_in_the_error() -> None:
    with pytest.raises(Malformed) as caught:
        open_index("ftp://admin:s3cret@host/")
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
