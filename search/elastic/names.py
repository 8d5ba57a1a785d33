"""Names of indices and aliases.

All reads and writes go through aliases: ``saksi-segments-2026.11`` (one per month, by start),
``saksi-segments`` (all months), ``saksi-gaps``, ``saksi-runs``, ``saksi-documents-<kind>``,
``saksi-documents``, ``saksi-records-<kind>``, ``saksi-records``, ``saksi-state`` and ``saksi-hours``. Records
of kind ``act`` are in ``saksi-records-act-2026.11`` (one per month, by ``at``), and ``saksi-records-act`` is
all months. Behind an alias stands an index ``saksi.<what>.<token>``. A rebuild
fills indices behind its own aliases, ``saksi-rebuild-<token>-…``, and then moves the aliases in one step. An
index of hours has a second alias, ``saksi-own-<token>``, which never moves.
"""

import re
from collections.abc import Iterable

from archive.errors import Malformed
from archive.timespan import Timespan, as_datetime

_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,39}\Z", re.ASCII)
_MANY_MONTHS = 24

GAPS, RUNS, STATE, SEGMENTS, DOCUMENTS = "gaps", "runs", "state", "segments", "documents"
HOURS, RECORDS = "hours", "records"
GROUPS = (SEGMENTS, DOCUMENTS, RECORDS)
"""Sorts that have several indices, and an alias over all of them."""

FILLED = (SEGMENTS, RECORDS)
"""Sorts with very many documents: a rebuild fills their indices without refreshing them."""

MONTHLY = frozenset({"act"})
"""Kinds of records that have an index per month: tens of millions a year are no index for one shard."""

MADE, WHOLE, COMPARED, MARK, REMOVAL = "made", "whole", "compared", "record_mark", "record_removal"
"""Kinds of documents in the index of states: an index that was made, the mark of a whole index, when it was
last compared with the journals, a mark about records, and records that were removed."""


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


def records_of(kind: str, at: int) -> str:
    """The name, without the prefix, of the index for records of a kind and an ``at``."""
    return f"{RECORDS}-{kind}-{as_datetime(at):%Y.%m}" if kind in MONTHLY else f"{RECORDS}-{kind}"


def records_within(kind: str, first: int, last: int) -> list[str]:
    """The indices for records of a kind with an ``at`` from ``first`` to ``last``."""
    whole = f"{RECORDS}-{kind}"
    return _months(whole, Timespan(first, last + 1)) if kind in MONTHLY else [whole]


def kinds_in(group: str, whats: Iterable[str]) -> list[str]:
    """The kinds that have an index in a group, from the names of indices without the prefix."""
    found = {what.removeprefix(f"{group}-") for what in whats if what.startswith(f"{group}-")}
    return sorted(kind for kind in found if "-" not in kind)


def own_alias(prefix: str, token: str) -> str:
    """The alias that stays with one index of hours when all others are switched."""
    return f"{prefix}-own-{token}"


def group_of(what: str) -> str | None:
    """The alias over all indices of a sort, if the sort has several."""
    for group in GROUPS:
        if what.startswith(f"{group}-"):
            return group
    return None


def groups_of(what: str) -> list[str]:
    """Every alias over several indices that an index of this sort belongs to."""
    group, kind = group_of(what), what.rpartition("-")[0]
    groups = [] if group is None else [group]
    return [*groups, kind] if group == RECORDS and kind != RECORDS else groups


def is_written(what: str) -> bool:
    """Whether documents are written through the alias; those over several indices are only read."""
    return what not in GROUPS and what not in {f"{RECORDS}-{kind}" for kind in MONTHLY}


def what_of(prefix: str, index: str) -> str:
    """The sort of an index, from its name ``<prefix>.<what>.<token>``."""
    return index.removeprefix(f"{prefix}.").rpartition(".")[0]


def months_of(starts: Timespan) -> list[str]:
    """The indices of segments that start in a span: one per month, or the one of all for a long span."""
    return _months(SEGMENTS, starts)


def _months(whole: str, starts: Timespan) -> list[str]:
    first, last = as_datetime(starts.start), as_datetime(starts.end - 1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > _MANY_MONTHS:
        return [whole]
    base = first.year * 12 + first.month - 1
    return [f"{whole}-{n // 12:04d}.{n % 12 + 1:02d}" for n in range(base, base + months)]
