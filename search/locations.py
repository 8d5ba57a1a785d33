"""Opens the index that the setting ``SAKSI_INDEX_URL`` names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.errors import Malformed
from search.index import Index
from search.sqlite import open_sqlite

_HINT = "Write sqlite:///absolute/path or http(s)://HOST:PORT."


def open_index(url: str, *, prefix: str = "saksi") -> Index:
    """The index at a URL: ``sqlite:///absolute/path`` or ``http(s)://[user:password@]host:port``.

    ``prefix`` begins the names of Elasticsearch indices. Credentials in the URL are used and never shown.

    Raises:
        Malformed: ``bad_index_url``.
        ArchiveError: as :func:`open_sqlite`. An Elasticsearch that does not answer is noticed at the first
            query.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Malformed("the index URL cannot be read", code="bad_index_url", hint=_HINT) from error
    match parts.scheme:
        case "sqlite":
            path = Path(unquote(parts.path))
            if parts.netloc or parts.query or parts.fragment or not path.name:
                raise Malformed(
                    "an embedded index is sqlite:///absolute/path", code="bad_index_url", hint=_HINT
                )
            return open_sqlite(path)
        case "http" | "https":
            if not parts.hostname or port == 0:
                raise Malformed("the index URL names no host", code="bad_index_url", hint=_HINT)
            # Importing the client takes three quarters of a second, which an embedded index can save.
            from search.elastic import connect_elastic

            return connect_elastic(url, prefix=prefix)
    raise Malformed(f"the index scheme {parts.scheme!r} is not known", code="bad_index_url", hint=_HINT)
