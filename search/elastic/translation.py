"""Translates the Elasticsearch client's errors into the archive's own; the only place that does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, TransportError, UnsupportedProductError

from archive.errors import ArchiveError, Conflict, Malformed, Refused, StoreFull, Unavailable

_REFUSED_VALUES = (
    "document_parsing_exception",
    "illegal_argument_exception",
    "mapper_parsing_exception",
    "strict_dynamic_mapping_exception",
)
_FULL = ("disk usage exceeded flood-stage", "no space left", "read-only-allow-delete")


@contextmanager
def translated(operation: str, server: str) -> Iterator[None]:
    """Run a block; it raises only errors of :mod:`archive.errors`.

    Raises:
        Unavailable: ``index_unavailable``; ``index_busy`` if the server sheds load.
        StoreFull: ``index_full``.
        Refused: ``index_denied`` for wrong credentials or rights.
        Malformed: ``index_value`` for a value the server refuses.
        Conflict: ``index_conflict``: another writer was first.
    """
    try:
        yield
    except UnsupportedProductError as error:
        raise Unavailable(
            f"{server} is not an Elasticsearch",
            code="index_unavailable",
            hint="Check that SAKSI_INDEX_URL names the server and its HTTP port.",
        ) from error
    except ApiError as error:
        raise from_answer(operation, server, error.status_code, error.body) from error
    except TransportError as error:
        raise Unavailable(
            f"the index cannot {operation}: {server} does not answer ({type(error).__name__})",
            code="index_unavailable",
            hint="Check that Elasticsearch runs and that SAKSI_INDEX_URL names it; then try again.",
        ) from error
    except UnicodeError as error:
        raise Malformed(f"the index cannot {operation}: {error}", code="index_value") from error


def from_answer(operation: str, server: str, status: int, body: object) -> ArchiveError:
    """The error for an answer of the server, or for one item of a bulk answer."""
    kind, reason = _reason(body)
    sentence = f"the index cannot {operation}: {server} says {reason}"
    if status in (401, 403) and not any(sign in reason for sign in _FULL):
        return Refused(
            f"the index server {server} refuses to {operation}",
            code="index_denied",
            hint="Check the credentials in SAKSI_INDEX_URL and their rights.",
        )
    if any(sign in reason for sign in _FULL) or status == 507:
        return StoreFull(
            sentence,
            code="index_full",
            hint="Free space on the index server's disk; the archive is not affected.",
        )
    if status == 429:
        return Unavailable(sentence, code="index_busy", hint="The server sheds load; try again.")
    if status == 400 and kind in _REFUSED_VALUES:
        return Malformed(sentence, code="index_value")
    if status == 409 or kind == "resource_already_exists_exception":
        return Conflict(sentence, code="index_conflict")
    return Unavailable(sentence, code="index_unavailable", hint="Check the server's log; then try again.")


def error_kind(body: object) -> str:
    """The server's own name for an error, such as ``index_not_found_exception``."""
    return _reason(body)[0]


def _reason(body: object) -> tuple[str, str]:
    """The innermost type and reason in an error answer."""
    error: Any = body
    if isinstance(error, Mapping) and "error" in error:
        error = error["error"]
    if not isinstance(error, Mapping):
        return "", str(error)[:200]
    causes = error.get("root_cause") or [error]
    first = causes[0] if isinstance(causes[0], Mapping) else error
    kind = str(first.get("type", ""))
    # Of shards that are not ready yet the server says nothing but that they are not.
    reason = first.get("reason") or error.get("reason") or kind or "nothing"
    return kind, str(reason)[:300]
