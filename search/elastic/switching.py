"""A rebuild on Elasticsearch: fill fresh indices, carry over other processes' writes, switch.

1. Note the sequence numbers of every live index.
2. The caller fills the fresh indices, which are not refreshed meanwhile, and stores its progress there.
3. Hours are settled.
4. Copy the documents written to the live indices since, in rounds, until a round finds few.
5. Move all aliases in one cluster state update: every reader and writer changes over between two requests.
6. Copy once more: writes that had found the old alias before the switch.
7. After a grace period for running searches, copy a last time and delete the old indices.

After 4, 6 and 7 the records that were removed meanwhile are removed again (:mod:`.record_documents`).

If a rebuild is killed in 2 to 4, the next one resumes it (:mod:`.claims`): the loaded documents and the
numbers of 1 are still there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from archive.errors import Unavailable
from search.elastic import claims, hours, leaving, names, record_documents
from search.elastic.claims import Claim
from search.elastic.cluster import Cluster, superseded
from search.elastic.writes import Write

_ROUNDS = 20
_LITTLE = 100
_BATCH = 2000
_GRACE_SECONDS = 1.0


@contextmanager
def rebuilt(live: Cluster) -> Iterator[tuple[Cluster, Claim]]:
    """A fresh set of aliases that replaces ``live`` at the end, and is dropped after an error.

    Raises:
        Conflict: ``rebuild_superseded``.
    """
    fresh, claim = claims.unfinished(live) or _begun(live)
    _without_hours(live, fresh)
    done = False
    try:
        yield fresh, claim
        claim.require()
        fresh.refresh_by_itself()
        hours.settle(fresh)
        for _ in range(_ROUNDS):
            if _carry(live.behind(), claim.carried, live, fresh) < _LITTLE:
                break
        _carry_heartbeats(live, fresh)
        record_documents.remove_again(fresh)
        claim.require()
        claim.end()
        old = _switch(live, fresh)
        done = True
    finally:
        if not done and claim.mine():
            fresh.delete(fresh.behind())
    for wait in (0.0, _GRACE_SECONDS):
        time.sleep(wait)
        _carry(old, claim.carried, live, live)
        record_documents.remove_again(live)
    live.delete(old)


def _begun(live: Cluster) -> tuple[Cluster, Claim]:
    fresh = live.rebuilding()
    fresh.make(names.STATE)
    return fresh, Claim(fresh, live.positions(live.behind()))


def _without_hours(live: Cluster, fresh: Cluster) -> None:
    """Remove leftovers of other rebuilds, and hours that a killed one settled: more is loaded after them."""
    mine = set(fresh.behind())
    live.delete(one for one in live.unused() if one not in mine or fresh.what(one) == names.HOURS)
    fresh.make(names.HOURS)


def _switch(live: Cluster, fresh: Cluster) -> dict[str, list[str]]:
    """Move the aliases; returns the indices that had them."""
    fresh.refresh((*names.GROUPS, names.GAPS, names.RUNS, names.STATE, names.HOURS))
    for _ in range(_ROUNDS):
        if fresh.alias(names.STATE) not in {
            alias for aliases in fresh.behind().values() for alias in aliases
        }:
            raise superseded()
        old = live.behind()
        try:
            live.move_aliases(old, fresh)
        except Unavailable:
            if live.behind() == old:
                raise
            continue  # a writer made the index of another month between the check and the switch
        return old
    raise Unavailable(f"the index on {live.server} changes too often to switch", code="index_unavailable")


def _carry(indices: dict[str, list[str]], carried: dict[str, int], source: Cluster, target: Cluster) -> int:
    """Copy the documents written to ``indices`` since the last time; returns their number."""
    reached = source.positions(indices)
    count = 0
    sorts = {source.what(one) for one in indices} - {names.HOURS}
    ends = {False: sorts - {names.STATE}, True: sorts & {names.STATE}}
    # High-water marks last, and only once the records below them are searchable.
    for marks in (False, True):
        batch: list[Write] = []
        for index in sorted(one for one in indices if source.what(one) in ends[marks]):
            for write in source.written_since(index, carried.get(index, -1)):
                count += 1
                batch.append(write)
                if len(batch) == _BATCH:
                    leaving.put(target, batch, searchable=False)
                    batch = []
        if batch:
            leaving.put(target, batch, searchable=not marks)
    carried.update(reached)
    return count


def _carry_heartbeats(live: Cluster, fresh: Cluster) -> None:
    """Copy all heartbeats, since the archive does not hold them."""
    body = {"size": _BATCH, "query": {"term": {"kind": "heartbeat"}}}
    live.refresh([names.STATE])
    fresh.write(
        [
            Write(names.STATE, hit["_id"], hit["_source"], version=hit["_source"]["number"])
            for hit in live.search([names.STATE], body)["hits"]["hits"]
        ],
        searchable=False,
    )
