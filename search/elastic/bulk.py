"""Bulk requests: documents are written once the server has taken each of them, or the caller gets an error.

No write creates an index: a missing one is made from its strict template, and the documents are sent again.
What a full server sheds is sent again after a pause.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, cast

from elasticsearch import Elasticsearch

from archive.errors import Unavailable
from search.elastic.translation import error_kind, from_answer, translated
from search.elastic.writes import Write

Refresh = Literal["true", "wait_for", "false"]

_FAILED = ["errors", "items.*.error"]
_OUTCOMES = [*_FAILED, "items.*.status"]
_ATTEMPTS = 5
_UNKNOWN_FIELD = "strict_dynamic_mapping_exception"
_SHED = "es_rejected_execution_exception"
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Before what a full server refused is sent again. After the last the caller gets ``index_busy``."""


class Home(Protocol):
    """The aliases that documents are written to."""

    def alias(self, what: str) -> str:
        """The alias for a sort of documents."""
        ...

    def ensure(self, what: str) -> None:
        """Make the index behind an alias if there is none."""
        ...

    def widen(self, what: str) -> None:
        """Add the fields that the index behind an alias lacks."""
        ...


class Bulk:
    """Sends bulk requests to one server. Thread-safe."""

    def __init__(
        self, client: Elasticsearch, server: str, home: Home, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self.server = server
        self._home = home
        self._pause = pause
        self._widened: set[str] = set()

    def load(self, what: str, lines: Sequence[str]) -> None:
        """Write documents given as the lines of one bulk request; searchable only after a refresh.

        Raises:
            Unavailable: ``index_busy`` if the server sheds load for longer than the pauses.
        """
        pauses = iter(_PAUSES_S)
        for _ in range(_ATTEMPTS + len(_PAUSES_S)):
            with translated("be written", self.server):
                answer = self._client.bulk(
                    index=self._home.alias(what),
                    operations=cast(Any, lines),
                    require_alias=True,
                    filter_path=_FAILED,
                )
            items = answer.get("items", ())
            if not items:
                return
            kinds = {error_kind(outcome["error"]) for item in items for outcome in item.values()}
            if kinds == {_SHED} and (pause := next(pauses, None)) is not None:
                self._pause(pause)  # a document that was taken is written again, under the same id
                continue
            (outcome,) = items[0].values()
            if error_kind(outcome["error"]) != "index_not_found_exception":
                status = 429 if kinds == {_SHED} else 400
                raise from_answer("be written", self.server, status, outcome["error"])
            self._home.ensure(what)
        raise _vanishing(self.server)

    def write(self, writes: Sequence[Write], refresh: Refresh) -> list[Write]:
        """Write documents; returns those refused because the stored one is not the one their writer saw.

        Raises:
            Unavailable: as :meth:`load`.
        """
        left: Sequence[Write] = writes
        taken: list[Write] = []
        for _ in range(_ATTEMPTS):
            if not left:
                return taken
            left = self._bulk(left, refresh, taken)
            for what in sorted({write.what for write in left}):
                self._home.ensure(what)
        raise _vanishing(self.server)

    def _bulk(self, writes: Sequence[Write], refresh: Refresh, taken: list[Write]) -> list[Write]:
        """Send one request; returns the writes to send again, and adds refused ones to ``taken``.

        To be sent again: their alias is missing, or an earlier version of this program made the index and it
        lacks a field. What a full server sheds is sent again here, after a pause.
        """
        homeless: list[Write] = []
        for pause in (*_PAUSES_S, None):
            shed, error = self._send(writes, refresh, taken, homeless)
            if not shed:
                break
            if pause is None:
                raise from_answer("be written", self.server, 429, error)
            self._pause(pause)
            writes = shed
        return homeless

    def _send(
        self, writes: Sequence[Write], refresh: Refresh, taken: list[Write], homeless: list[Write]
    ) -> tuple[list[Write], object]:
        """Send one request; returns the writes that the server shed, and its last word on them."""
        lines = [
            line for write in writes for line in write.lines(write.alias or self._home.alias(write.what))
        ]
        with translated("be written", self.server):
            answer = self._client.bulk(
                operations=lines, refresh=refresh, require_alias=True, filter_path=_OUTCOMES
            )
        if not answer["errors"]:
            return [], None
        narrow: set[str] = set()
        shed: list[Write] = []
        why: object = None
        for write, item in zip(writes, answer["items"], strict=True):
            (outcome,) = item.values()
            error = outcome.get("error")
            if error is None or (outcome["status"] == 409 and write.version is not None):
                continue  # written, or a later version is already there
            if outcome["status"] == 409 and write.may_be_taken:
                taken.append(write)
                continue
            if write.how == "update" and error_kind(error) == "document_missing_exception":
                continue
            if error_kind(error) == "index_not_found_exception":
                if write.document is not None and write.how != "update":
                    (homeless if write.alias is None else taken).append(write)
                continue
            if error_kind(error) == _UNKNOWN_FIELD and write.what not in self._widened:
                homeless.append(write)
                narrow.add(write.what)
                continue
            if outcome["status"] == 429:
                shed.append(write)
                why = error
                continue
            raise from_answer("be written", self.server, outcome["status"], error)
        for what in sorted(narrow):
            self._widen(what)
        return shed, why

    def _widen(self, what: str) -> None:
        self._home.widen(what)
        self._widened.add(what)


def _vanishing(server: str) -> Unavailable:
    return Unavailable(
        f"the index cannot be written: its aliases on {server} keep vanishing",
        code="index_unavailable",
        hint="Find out who deletes indices there; then try again.",
    )
