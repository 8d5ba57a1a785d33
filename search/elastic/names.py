"""Names of indices and aliases.

Everything is read and written through aliases: ``saksi-segments-2026.11`` (one a month, by start), ``saksi-
segments`` (all months), ``saksi-gaps``, ``saksi-runs``, ``saksi-documents-<kind>``, ``saksi-documents``,
``saksi-state`` and ``saksi-hours``. Behind an alias stands an index ``saksi.<what>.<token>``. A rebuild
fills indices behind aliases of its own, ``saksi-rebuild-<token>-…``, and then moves the aliases in one
step. An index of hours has a second alias, ``saksi-own-<token>``, which stays with it.
"""

import re

from archive.errors import Malformed
from archive.timespan import Timespan, as_datetime

_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,39}\Z", re.ASCII)
_MANY_MONTHS = 24

GAPS, RUNS, STATE, SEGMENTS, DOCUMENTS = "gaps", "runs", "state", "segments", "documents"
HOURS = "hours"


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
    """What the index for segments that start at the instant is called, without the prefix."""
    return f"{SEGMENTS}-{as_datetime(instant):%Y.%m}"


def documents_of(kind: str) -> str:
    """What the index for documents of a kind is called, without the prefix."""
    return f"{DOCUMENTS}-{kind}"


def own_alias(prefix: str, token: str) -> str:
    """The alias that stays with one index of hours when all others are switched."""
    return f"{prefix}-own-{token}"


def group_of(what: str) -> str | None:
    """The alias that holds all of a sort, where there are several."""
    for group in (SEGMENTS, DOCUMENTS):
        if what.startswith(f"{group}-"):
            return group
    return None


def what_of(prefix: str, index: str) -> str:
    """What is in an index, from its name ``<prefix>.<what>.<token>``."""
    return index.removeprefix(f"{prefix}.").rpartition(".")[0]


def months_of(starts: Timespan) -> list[str]:
    """Where segments are that start in a span: its months, or all of them for a long one."""
    first, last = as_datetime(starts.start), as_datetime(starts.end - 1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > _MANY_MONTHS:
        return [SEGMENTS]
    base = first.year * 12 + first.month - 1
    return [f"{SEGMENTS}-{n // 12:04d}.{n % 12 + 1:02d}" for n in range(base, base + months)]
