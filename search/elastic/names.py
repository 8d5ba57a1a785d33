"""Names of indices and aliases.

All reads and writes go through aliases: ``saksi-segments-2026.11`` (one per month, by start),
``saksi-segments`` (all months), ``saksi-gaps``, ``saksi-runs``, ``saksi-documents-<kind>``,
``saksi-documents``, ``saksi-state`` and ``saksi-hours``. Behind an alias stands an index
``saksi.<what>.<token>``. A rebuild fills indices behind its own aliases, ``saksi-rebuild-<token>-…``, and
then moves the aliases in one step. An index of hours has a second alias, ``saksi-own-<token>``, which never
moves.
"""

import re

from archive.errors import Malformed
from archive.timespan import Timespan, as_datetime

_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,39}\Z", re.ASCII)
_MANY_MONTHS = 24

GAPS, RUNS, STATE, SEGMENTS, DOCUMENTS = "gaps", "runs", "state", "segments", "documents"
HOURS = "hours"
MADE, WHOLE, COMPARED = "made", "whole", "compared"
"""Kinds of documents in the index of states: an index that was made, the mark of a whole index, and when it
was last compared with the journals."""


def check_prefix(prefix: str) -> str:
    """Accept the prefix of all names and return it. Raises Malformed ``bad_index_prefix``."""
    if _PREFIX.match(prefix) is None:
        raise Malformed(
            f"{prefix!r} cannot begin the name of an index",
            code="bad_index_prefix",
            hint="Use a lower-case letter, then up to 39 of a-z, 0-9 and hyphens.",
        )
    return prefix


def segments_of(instant: int) -> str:
    """The name, without the prefix, of the index for segments that start at the instant."""
    return f"{SEGMENTS}-{as_datetime(instant):%Y.%m}"


def documents_of(kind: str) -> str:
    """The name, without the prefix, of the index for documents of a kind."""
    return f"{DOCUMENTS}-{kind}"


def own_alias(prefix: str, token: str) -> str:
    """The alias that stays with one index of hours when all others are switched."""
    return f"{prefix}-own-{token}"


def group_of(what: str) -> str | None:
    """The alias over all indices of a sort, if the sort has several."""
    for group in (SEGMENTS, DOCUMENTS):
        if what.startswith(f"{group}-"):
            return group
    return None


def what_of(prefix: str, index: str) -> str:
    """The sort of an index, from its name ``<prefix>.<what>.<token>``."""
    return index.removeprefix(f"{prefix}.").rpartition(".")[0]


def months_of(starts: Timespan) -> list[str]:
    """The indices of segments that start in a span: one per month, or the one of all for a long span."""
    first, last = as_datetime(starts.start), as_datetime(starts.end - 1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > _MANY_MONTHS:
        return [SEGMENTS]
    base = first.year * 12 + first.month - 1
    return [f"{SEGMENTS}-{n // 12:04d}.{n % 12 + 1:02d}" for n in range(base, base + months)]
