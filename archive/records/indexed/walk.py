"""Every record that a query finds, however many."""

from collections.abc import Iterator
from dataclasses import replace

from archive.ports import Record, RecordIndex, RecordQuery

MOST = 1000
"""Records of one answer of the index."""


def each_record(index: RecordIndex, query: RecordQuery) -> Iterator[Record]:
    """Every record that a query finds, in its order. Raises as the index."""
    while True:
        found = index.find_records(query, limit=MOST)
        yield from found
        if len(found) < MOST:
            return
        query = replace(query, after=found[-1].position)
