"""Opens the index that the setting ``SAKSI_INDEX_URL`` names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.errors import Malformed
from search.index import Index
from search.sqlite import open_sqlite, renew_sqlite

_HINT = "Write sqlite:///absolute/path or http(s)://HOST:PORT."


def open_index(url: str, *, prefix: str = "saksi", ca_file: Path | None = None, api_key: str = "") -> Index:
    """The index at a URL: ``sqlite:///absolute/path``, or ``http(s)://[user:password@]host:port``.

    An Elasticsearch may have several hosts, separated by commas. ``prefix`` begins the names of its indices;
    ``ca_file`` and ``api_key`` are as in :class:`search.elastic.Access`. Credentials in the URL are used and
    never shown.

    Raises:
        Malformed: ``bad_index_url``, ``bad_index_access``.
        ArchiveError: as :func:`open_sqlite`. An Elasticsearch that does not answer is noticed at the first
            query.
    """
    match url.partition(":")[0]:
        case "sqlite":
            return open_sqlite(_path_in(url))
        case "http" | "https":
            # Importing the client takes three quarters of a second, which an embedded index can save.
            from search.elastic import Access, connect_elastic

            return connect_elastic(url, prefix=prefix, access=Access(ca_file=ca_file, api_key=api_key))
    raise Malformed("the index has an unknown scheme", code="bad_index_url", hint=_HINT)


def renew_index(url: str) -> None:
    """Before a rebuild: an embedded index of another version's format gives way to an empty one.

    A rebuild on Elasticsearch makes new indices in any case. Errors as :func:`open_index`.
    """
    if url.startswith("sqlite:"):
        renew_sqlite(_path_in(url))


def _path_in(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Malformed("the index URL cannot be read", code="bad_index_url", hint=_HINT) from error
    path = Path(unquote(parts.path))
    if parts.netloc or parts.query or parts.fragment or not path.name:
        raise Malformed("an embedded index is sqlite:///absolute/path", code="bad_index_url", hint=_HINT)
    return path
