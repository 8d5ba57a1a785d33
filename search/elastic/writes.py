"""Single writes to Elasticsearch: one document each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

Seen = tuple[int, int]
"""Sequence number and primary term of a document as it was read."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Write:
    """One document to write, or to delete if it is None.

    ``how``: ``index`` replaces an existing document; ``create`` writes only if there is none; ``update``
    replaces the fields of an existing document and does nothing if there is none.
    With ``version`` the write loses against a later stored version; with ``seen`` it counts only if the
    document has not changed since it was read. ``alias`` may name another place.
    """

    what: str
    id: str
    document: Json | None
    version: int | None = None
    alias: str | None = None
    how: Literal["index", "create", "update"] = "index"
    seen: Seen | None = None

    @property
    def may_be_taken(self) -> bool:
        """Whether a conflict means that the stored document is not the one the writer saw."""
        return self.how == "create" or self.seen is not None

    def lines(self, alias: str) -> Iterator[Json]:
        """The bulk request's lines."""
        target: Json = {"_index": alias, "_id": self.id}
        if self.seen is not None:
            target |= {"if_seq_no": self.seen[0], "if_primary_term": self.seen[1]}
        if self.version is not None:
            target |= {"version": self.version, "version_type": "external_gte"}
        if self.document is None:
            yield {"delete": target}
            return
        if self.how == "update":
            yield {"update": target | {"retry_on_conflict": _ATTEMPTS}}
            yield {"doc": self.document}
            return
        yield {self.how: target}
        yield self.document
