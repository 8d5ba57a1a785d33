"""The address of an Elasticsearch: its nodes, user and password, certificates and key."""

from pathlib import Path

import pytest

from archive.errors import Malformed, Refused, Unavailable
from ops.index_access import api_key_of
from search.elastic.address import OPEN, Access, options_of, parse_address

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("http://es", ("http://es:9200",)),
        ("https://es", ("https://es:443",)),
        ("https://es:9243/search/", ("https://es:9243/search",)),
        ("http://[::1]:9200", ("http://[::1]:9200",)),
        ("https://a:1,b:2,[fd00::3]:3/x", ("https://a:1/x", "https://b:2/x", "https://[fd00::3]:3/x")),
    ],
)
def test_every_host_is_a_node(url: str, nodes: tuple[str, ...]) -> None:
    assert parse_address(url).nodes == nodes


def test_user_and_password_are_those_of_all_nodes_and_are_not_shown() -> None:
    found = parse_address(f"https://saksi:{SECRET}%40x@a:1,b:2")
    assert found.login == ("saksi", f"{SECRET}@x")
    assert found.server == "https://a:1, https://b:2"
    assert options_of(found, OPEN)["basic_auth"] == ("saksi", f"{SECRET}@x")


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        f"http://user:{SECRET}@",
        "http://a,,b",
        "http://a:0",
        "http://a:99999",
        "http://a:x",
        "http://a?q=1",
        "http://a#x",
        "http://[::1",
        "http://[zz]:1",
        "ftp://a",
    ],
)
def test_a_bad_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_address(url)
    assert refused.value.code == "bad_index_url"
    assert SECRET not in f"{refused.value.message} {refused.value.hint}"


def test_a_key_and_a_password_exclude_each_other() -> None:
    with pytest.raises(Malformed) as refused:
        options_of(parse_address(f"https://saksi:{SECRET}@a"), Access(api_key="a2V5"))
    assert refused.value.code == "bad_index_access"
    assert SECRET not in refused.value.message


def test_certificates_need_tls_and_must_be_some(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for url in ("http://a", "https://a"):
        with pytest.raises(Malformed) as refused:
            options_of(parse_address(url), Access(ca_file=path))
        assert refused.value.code == "bad_index_access"
    path.write_text("no certificate")
    with pytest.raises(Malformed):
        options_of(parse_address("https://a"), Access(ca_file=path))


def test_a_key_is_read_from_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("a2V5OnNlY3JldA==\n")
    path.chmod(0o600)
    assert api_key_of(path) == "a2V5OnNlY3JldA=="
    assert api_key_of(None) == ""
    path.chmod(0o604)
    with pytest.raises(Refused) as exposed:
        api_key_of(path)
    assert exposed.value.code == "index_key_exposed"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", b"a\x00b"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Malformed) as refused:
        api_key_of(path)
    assert refused.value.code == "bad_index_access"
    with pytest.raises(Unavailable) as missing:
        api_key_of(tmp_path / "none")
    assert missing.value.code == "index_key_unreadable"
