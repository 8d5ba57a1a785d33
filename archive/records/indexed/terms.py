"""The words that records are found by: a name, a colon and a value, such as ``person:user:citra``.

A value comes from outside: the custody event of a refused request holds whatever the client sent. A value
that an index could not keep as a word (too long, empty, not printable) is replaced by its hash, in records
and in queries alike, so that no text keeps an event out of the index.
"""

from collections.abc import Iterable

from archive.canonical import sha256_hex

LONGEST = 400
"""Characters of a value that is spelled out. An object name has at most 512 bytes; longer ones are hashed."""
MOST = 200
"""Values of one name that a record spells out; with more of them it has :func:`many` instead."""


def term(name: str, value: str) -> str:
    """The word for a value."""
    if 0 < len(value) <= LONGEST and value.isprintable():
        return f"{name}:{value}"
    return f"{name}#{sha256_hex(value.encode('utf-8', 'surrogatepass'))}"


def many(name: str) -> str:
    """The word of records with more than :data:`MOST` values of a name: each of their values may match."""
    return f"{name}*"


def terms(name: str, values: Iterable[str]) -> frozenset[str]:
    """The words of a record for all its values of one name."""
    found = frozenset(values)
    if len(found) > MOST:
        return frozenset({many(name)})
    return frozenset(term(name, value) for value in found)


def any_of(name: str, values: Iterable[str]) -> frozenset[str]:
    """The words of a query for records that have one of the values; the caller checks those of many."""
    return frozenset(term(name, value) for value in values) | {many(name)}
