"""What is sent to be kept, one document at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

Seen = tuple[int, int]
"""Sequence number and primary term of a document as it was read."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Write:
    """One document to keep, or to forget where it is None.

    ``how`` it is kept: ``index`` in place of the one that is there; ``create`` only where there is none;
    ``update``, its fields replace those of the one that is there, and nothing is made where there is none.
    With ``version`` it is kept unless a later version is there already; with ``seen`` only where the document
    is still the one that was read. ``alias`` may name another place.
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
        """Whether a conflict means that there is another document than the writer knew of."""
        return self.how == "create" or self.seen is not None

    def lines(self, alias: str) -> Iterator[Json]:
        """The bulk request's lines."""
        target: Json = {"_index": alias, "_id": self.id}
        if self.seen is not None:
            target |= {"if_seq_no": self.seen[0], "if_primary_term": self.seen[1]}
        if self.document is None:
            yield {"delete": target}
            return
        if self.how == "update":
            yield {"update": target | {"retry_on_conflict": _ATTEMPTS}}
            yield {"doc": self.document}
            return
        if self.version is not None:
            target |= {"version": self.version, "version_type": "external_gte"}
        yield {self.how: target}
        yield self.document
