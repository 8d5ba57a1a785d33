"""An Elasticsearch behind TLS and a key, one that sheds load, and one of several nodes that is down."""

from pathlib import Path

import pytest

from archive.errors import Malformed, Refused, Unavailable
from archive.timespan import Timespan
from ops.index_access import opened_index
from ops.settings import Settings
from search.elastic import Access, connect_elastic
from tests.support.elastic_carriers import carrier
from tests.support.indexes import entry, run_id
from tests.support.leaves import T0, segment
from tests.support.servers import ElasticServer

WHOLE = Timespan(T0, T0 + 10**12)
KEY = "c2Frc2k6c2VjcmV0LWtleQ=="


def test_with_tls_and_a_key_it_answers_as_without(
    elastic_server: ElasticServer, fresh_index_prefix: str, tmp_path: Path
) -> None:
    with carrier(elastic_server.url, tls=tmp_path, key=KEY) as door:
        key_file = tmp_path / "index.key"
        key_file.write_text(KEY)
        key_file.chmod(0o600)
        settings = Settings.load(
            {
                "SAKSI_HOME": str(tmp_path),
                "SAKSI_INDEX_URL": door.url,
                "SAKSI_INDEX_PREFIX": fresh_index_prefix,
                "SAKSI_INDEX_CA_FILE": str(door.certificate),
                "SAKSI_INDEX_API_KEY_FILE": str(key_file),
            }
        )
        index = opened_index(settings)
        index.add([entry(segment(n, run=run_id(1))) for n in range(3)])
        assert [one.seq for one in index.segments("cam-1", WHOLE)] == [0, 1, 2]
        index.close()

        without = connect_elastic(
            door.url, prefix=fresh_index_prefix, access=Access(ca_file=door.certificate)
        )
        with pytest.raises(Refused) as refused:
            list(without.segments("cam-1", WHOLE))
        assert refused.value.code == "index_denied"
        without.close()

        untrusted = connect_elastic(door.url, prefix=fresh_index_prefix, access=Access(api_key=KEY))
        with pytest.raises(Unavailable) as unknown:
            list(untrusted.segments("cam-1", WHOLE))
        assert unknown.value.code == "index_unavailable"
        assert KEY not in f"{unknown.value.message} {unknown.value.hint}"
        untrusted.close()


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refused:
        connect_elastic("https://127.0.0.1:1", access=Access(ca_file=tmp_path / "none.pem"))
    assert refused.value.code == "bad_index_access"


def test_what_a_full_server_sheds_is_written_in_the_end(
    elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    waits: list[float] = []
    with carrier(elastic_server.url) as door:
        index = connect_elastic(door.url, prefix=fresh_index_prefix, pause=waits.append)
        index.add([entry(segment(0, run=run_id(1)))])
        door.shed = 7
        index.add([entry(segment(n, run=run_id(1))) for n in range(1, 6)])
        assert door.shed == 0
        assert waits
        assert waits == sorted(waits)
        assert [one.seq for one in index.segments("cam-1", WHOLE)] == list(range(6))
        door.shed = 10_000
        with pytest.raises(Unavailable) as busy:
            index.add([entry(segment(6, run=run_id(1)))])
        assert busy.value.code == "index_busy"
        assert busy.value.retryable
        index.close()


def test_a_node_that_is_down_is_passed_over(elastic_server: ElasticServer, fresh_index_prefix: str) -> None:
    host = elastic_server.url.removeprefix("http://")
    index = connect_elastic(f"http://127.0.0.1:9,{host}", prefix=fresh_index_prefix)
    for number in range(4):
        index.add([entry(segment(number, run=run_id(1)))])
    assert [one.seq for one in index.segments("cam-1", WHOLE)] == [0, 1, 2, 3]
    index.close()
