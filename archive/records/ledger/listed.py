"""The entries of the ledger as the store lists them.

What lies in the ledger's folders and is no entry by its name is left out: ``archive check`` names it
(``foreign_object``), and it stops nothing else. Destruction reads more strictly
(:class:`archive.records.ledger.heads.StrictHeads`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from archive import keys
from archive.errors import Malformed
from archive.ids import check_name
from archive.ports import ObjectStore, ObjectVersion


class Listed(NamedTuple):
    """One entry's object, and what its name says."""

    id: str
    version: int
    found: ObjectVersion


def name_of(key: str) -> tuple[str, str, int]:
    """Kind, id and version of an entry's object. Raises Malformed ``bad_key``, ``bad_id``."""
    kind, name, version = keys.parse_ledger_key(key)
    return kind, check_name(kind, name), version


def entries_of(records: ObjectStore, kind: str, entity: str | None = None) -> Iterator[Listed]:
    """The entries of a kind, or of one stream, by id and version. Raises as the store."""
    for found in records.list(keys.ledger_prefix(kind, entity)):
        try:
            _, name, version = name_of(found.key)
        except Malformed:
            continue
        yield Listed(name, version, found)


def ids_of(records: ObjectStore, kind: str) -> frozenset[str]:
    """The ids of all streams of a kind. Raises as the store."""
    return frozenset(one.id for one in entries_of(records, kind))
