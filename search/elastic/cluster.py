"""One set of aliases on an Elasticsearch: bulk writes, searches, and the indices behind the aliases.

Two rules keep answers correct. No write ever creates an index: writes go to aliases only, and a missing
index is made from its strict template first. And no answer is partial: if a shard fails, the search fails,
since half an answer about footage is a wrong one.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from archive.errors import Conflict, Unavailable
from search.elastic import names, schema, wire
from search.elastic.bulk import Bulk
from search.elastic.translation import error_kind, from_answer, translated
from search.elastic.writes import Json, Seen, Write

_BULK = 2000
_READ = [f"docs.{name}" for name in ("found", "_source", "_seq_no", "_primary_term", "error")]
_ATTEMPTS = 5
_MADE = 10_000
_PIECES = 5
"""A month in no more pieces than this is left as it is, so that one late document does not rewrite it."""


class Cluster:
    """Aliases that begin with ``aliases`` over indices that begin with ``prefix``.

    ``token`` names the indices of one rebuild; without it each new index gets a token of its own.
    """

    def __init__(
        self,
        client: Elasticsearch,
        server: str,
        prefix: str,
        *,
        token: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._pause = pause
        self._bulk = Bulk(client, server, self, pause=pause)
        self.server = server
        self._prefix = prefix
        self._token = token
        self._has_templates = False
        self._is_filled = token is not None
        self._aliases = prefix if token is None else f"{prefix}-rebuild-{token}"

    # Writing -----------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write], *, searchable: bool) -> list[Write]:
        """Write documents; with ``searchable`` every search finds them when this returns.

        Returns the writes that were refused because the stored document is not the one their writer saw.
        """
        if len(writes) <= _BULK:
            return self._bulk.write(writes, "wait_for" if searchable else "false")
        taken: list[Write] = []
        for at in range(0, len(writes), _BULK):
            taken += self._bulk.write(writes[at : at + _BULK], "false")
        if searchable:
            self.refresh(sorted({write.what for write in writes}))
        return taken

    def write_at_once(self, writes: Sequence[Write]) -> list[Write]:
        """The same for few documents in a small index: searchable without waiting for the next refresh."""
        return self._bulk.write(writes, "true")

    def load(self, what: str, lines: Sequence[str]) -> None:
        """Write documents given as the lines of one bulk request; searchable only after a refresh."""
        self._bulk.load(what, lines)

    def ensure(self, what: str) -> None:
        """Make the index behind an alias if there is none; safe if another process does the same.

        Raises:
            Conflict: ``rebuild_superseded`` if these aliases belong to a rebuild that a later one removed.
        """
        if self._token is not None and not self._exists(names.STATE):
            raise superseded()
        self.make(what)

    def make(self, what: str) -> None:
        """As :meth:`ensure`, also for the first index of a rebuild."""
        token = self._token or secrets.token_hex(6)
        group = names.group_of(what)
        aliases: Json = {self.alias(what): {"is_write_index": True}}
        aliases |= {self.alias(one): {} for one in names.groups_of(what)}
        if what == names.HOURS:
            aliases[names.own_alias(self._prefix, token)] = {}
        if self._exists(what):
            return
        templates = schema.templates(self._prefix)
        template = templates[f"{self._prefix}-{group or what}"]["template"]
        if self._is_filled and group in names.FILLED:
            template = schema.unrefreshed(template)
        with translated("be made", self.server):
            if not self._has_templates:
                for name, body in templates.items():
                    self._client.indices.put_index_template(name=name, **body)
                self._has_templates = True
            try:
                # The whole template again: a template changed on the server must not decide what is kept.
                self._client.indices.create(
                    index=f"{self._prefix}.{what}.{token}", aliases=aliases, **template
                )
            except ApiError:
                # The cluster allows one write index per alias, so the second of two makers comes here.
                if not self._exists(what):
                    raise
        if what not in (names.STATE, names.HOURS):
            note = {"kind": names.MADE, "name": what, "number": 1, "state": {}}
            self.write([Write(names.STATE, f"{names.MADE}:{what}", note, version=1)], searchable=False)

    def has_all_that_was_made(self) -> bool:
        """Whether every index of documents that was made behind these aliases still stands."""
        body: Json = {"size": _MADE, "query": {"term": {"kind": names.MADE}}}
        made = {hit["_source"]["name"] for hit in self.search([names.STATE], body)["hits"]["hits"]}
        there = {alias for aliases in self.behind().values() for alias in aliases}
        return all(self.alias(one) in there for one in made)

    def widen(self, what: str) -> None:
        """Add the fields that the index behind an alias lacks."""
        template = schema.templates(self._prefix)[f"{self._prefix}-{names.group_of(what) or what}"][
            "template"
        ]
        with translated("be widened", self.server):
            self._client.indices.put_mapping(
                index=self.alias(what), properties=template["mappings"]["properties"]
            )

    def _exists(self, what: str) -> bool:
        with translated("be read", self.server):
            return bool(self._client.indices.exists_alias(name=self.alias(what)))

    def refresh(self, what: Iterable[str]) -> None:
        """Make everything written so far searchable."""
        self.refresh_indices([self.alias(one) for one in what])

    def refresh_indices(self, indices: Sequence[str]) -> None:
        """The same for indices by their own names; missing ones are ignored."""
        if indices:
            with translated("be refreshed", self.server):
                self._client.indices.refresh(
                    index=list(indices), ignore_unavailable=True, allow_no_indices=True
                )

    # Reading -----------------------------------------------------------------------------------------

    def search(self, what: Iterable[str], body: Json) -> Json:
        """The complete answer to a search, or an error; a missing alias counts as empty."""
        wanted = list(dict.fromkeys(what))
        for _ in range(_ATTEMPTS):
            found = self.answer([self.alias(one) for one in wanted], body)
            if found is not None:
                return found
            wanted = [one for one in wanted if self._exists(one)]
            if not wanted:
                return {"hits": {"hits": [], "total": {"value": 0}}}
        raise Unavailable(f"{self.server} keeps changing its indices", code="index_busy", hint="Try again.")

    def answer(self, indices: Sequence[str], body: Json) -> Json | None:
        """The complete answer of these indices or aliases; None if one of them is missing."""
        counted = body.get("track_total_hits", False)
        with translated("be searched", self.server):
            try:
                # Not ignore_unavailable, which silently skips closed indices too.
                answer = self._client.search(
                    index=list(indices),
                    allow_partial_search_results=False,
                    **(body | {"track_total_hits": counted}),
                )
            except NotFoundError as error:
                if error_kind(error.body) != "index_not_found_exception":
                    raise
                return None
        found: Json = answer.body
        if found.get("timed_out"):
            raise Unavailable(f"{self.server} ran out of time", code="index_busy", hint="Try again.")
        return found

    def documents(self, what: str, ids: Sequence[str]) -> dict[str, Json]:
        """``_source`` by id, as last written, searchable or not; ids without a document are left out."""
        if not ids:
            return {}
        with translated("be read", self.server):
            answer = self._client.mget(index=self.alias(what), ids=ids)
        found: dict[str, Json] = {}
        for one in answer["docs"]:
            if one.get("found"):
                found[one["_id"]] = one["_source"]
            elif "error" in one and error_kind(one["error"]) != "index_not_found_exception":
                raise from_answer("be read", self.server, 503, one["error"])
        return found

    def each_document(self, wanted: Sequence[tuple[str, str]]) -> list[Json | None]:
        """``_source`` by sort and id, in the requested order and in one request; None for missing ones."""
        return [None if one is None else one[0] for one in self.each_as_seen(wanted)]

    def each_as_seen(
        self, wanted: Sequence[tuple[str, str]], *, alias: str | None = None
    ) -> list[tuple[Json, Seen] | None]:
        """The same, each with its number for conditional writes; ``alias`` may name another place."""
        docs = [{"_index": alias or self.alias(what), "_id": one} for what, one in wanted]
        with translated("be read", self.server):
            answer = self._client.mget(docs=docs, filter_path=_READ)
        found: list[tuple[Json, Seen] | None] = []
        for one in answer["docs"]:
            if "error" in one and error_kind(one["error"]) != "index_not_found_exception":
                raise from_answer("be read", self.server, 503, one["error"])
            there = one.get("found")
            found.append((one["_source"], (one["_seq_no"], one["_primary_term"])) if there else None)
        return found

    def alias(self, what: str) -> str:
        """The alias for a sort of documents."""
        return f"{self._aliases}-{what}"

    def kinds_of(self, group: str) -> list[str]:
        """The kinds of documents, or of records, that have an index."""
        mark = self.alias("")
        found = {alias for aliases in self.behind().values() for alias in aliases}
        return names.kinds_in(group, (alias.removeprefix(mark) for alias in found))

    # Indices behind the aliases ----------------------------------------------------------------------

    def rebuilding(self) -> "Cluster":
        """Aliases of a new rebuild, without indices yet."""
        return Cluster(self._client, self.server, self._prefix, token=secrets.token_hex(6), pause=self._pause)

    def rebuilds(self) -> list["Cluster"]:
        """Aliases of the unfinished rebuilds."""
        mark, end = f"{self._prefix}-rebuild-", f"-{names.STATE}"
        found = {alias for aliases in self._holding([f"{mark}*{end}"]).values() for alias in aliases}
        tokens = sorted(alias.removeprefix(mark).removesuffix(end) for alias in found)
        return [
            Cluster(self._client, self.server, self._prefix, token=token, pause=self._pause)
            for token in tokens
        ]

    def refresh_by_itself(self) -> None:
        """Turn on the regular refresh of segments and records, as in an index in use, for good."""
        self._is_filled = False
        indices = [one for one in self.behind() if names.group_of(self.what(one)) in names.FILLED]
        if indices:
            with translated("be switched", self.server):
                self._client.indices.put_settings(
                    index=indices, settings={"index.refresh_interval": f"{schema.REFRESH_MS}ms"}
                )

    def same_of_rebuilds(self, what: str) -> list[str]:
        """The alias for a sort of documents in every rebuild in progress."""
        pattern = f"{self._prefix}-rebuild-*-{what}"
        found = self._holding([pattern])
        return sorted({alias for aliases in found.values() for alias in aliases})

    def move_aliases(self, leaving: Mapping[str, list[str]], coming: "Cluster") -> None:
        """In one step: move these aliases from ``leaving`` to the indices behind ``coming``."""
        new = coming.behind()
        actions: list[Json] = [
            {"remove": {"index": index, "alias": alias}}
            for index, aliases in (*leaving.items(), *new.items())
            for alias in aliases
        ]
        for index, aliases in new.items():
            for alias in aliases:
                what = alias.removeprefix(f"{coming._aliases}-")
                add: Json = {"index": index, "alias": self.alias(what)}
                if names.is_written(what):
                    add["is_write_index"] = True
                actions.append({"add": add})
        with translated("be switched", self.server):
            self._client.indices.update_aliases(actions=actions)

    def positions(self, indices: Iterable[str]) -> dict[str, int]:
        """The sequence number of each index: every operation up to it is done, on every copy."""
        asked = list(indices)
        if not asked:
            return {}
        with translated("be read", self.server):
            answer = self._client.indices.stats(index=asked, level="shards", metric=["docs"])
        return {
            index: min(
                copy["seq_no"]["global_checkpoint"]
                for copy in found["shards"]["0"]
                if copy["routing"]["primary"]
            )
            for index, found in answer["indices"].items()
        }

    def written_since(self, index: str, number: int) -> Iterator[Write]:
        """Documents of one index that were written after the operation of that number."""
        what = self.what(index)
        is_whole = names.group_of(what) != names.SEGMENTS
        fetch: Json = {} if is_whole else {"source": False, "docvalue_fields": list(wire.DOCUMENT_FIELDS)}
        with translated("be read", self.server):
            self._client.indices.refresh(index=index)
            while True:
                answer = self._client.search(
                    index=index,
                    query={"range": {"_seq_no": {"gt": number}}},
                    sort=[{"_seq_no": "asc"}],
                    size=_BULK,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                    **fetch,
                )
                hits = answer["hits"]["hits"]
                for hit in hits:
                    if not is_whole:
                        yield wire.document_of(hit)
                        continue
                    source = hit["_source"]
                    yield Write(what, hit["_id"], source, version=schema.version_of(what, source))
                if len(hits) < _BULK:
                    return
                number = hits[-1]["sort"][0]

    def behind(self) -> dict[str, list[str]]:
        """The indices behind these aliases, each with its aliases."""
        parts = (*names.GROUPS, names.GAPS, names.RUNS, names.STATE, names.HOURS)
        wanted = [self.alias(part) for part in parts]
        inside = [self.alias(f"{part}-*") for part in names.GROUPS]
        return self._holding([*wanted, *inside])

    def unused(self) -> list[str]:
        """Indices of unfinished rebuilds, and indices that a switch left behind."""
        with translated("be read", self.server):
            answer = self._client.indices.get_alias(
                index=f"{self._prefix}.*", ignore_unavailable=True, allow_no_indices=True
            )
        marks = (f"{self._prefix}-rebuild-", names.own_alias(self._prefix, ""))
        return [
            index
            for index, found in answer.body.items()
            if all(alias.startswith(marks) for alias in found["aliases"])
        ]

    def _holding(self, aliases: list[str]) -> dict[str, list[str]]:
        with translated("be read", self.server):
            answer = self._client.options(ignore_status=404).indices.get_alias(
                index=f"{self._prefix}.*", name=aliases, ignore_unavailable=True, allow_no_indices=True
            )
        found: Mapping[str, Any] = answer.body
        return {
            index: sorted(entry["aliases"])
            for index, entry in found.items()
            if isinstance(entry, Mapping) and entry.get("aliases")
        }

    def what(self, index: str) -> str:
        """The sort of documents in an index."""
        return names.what_of(self._prefix, index)

    def own_alias(self, index: str) -> str:
        """The alias that belongs to one index of hours only; no switch moves it."""
        return names.own_alias(self._prefix, index.rpartition(".")[2])

    def merge_months(self, before: str) -> int:
        """Merge each month of segments before one (``segments-2026.11``) that is in many pieces.

        Returns how many are.
        The server goes on by itself. A merge drops what replicas no longer need, half of a segment's bytes.
        """
        whats = {index: self.what(index) for index in self.behind()}
        old = sorted(
            index for index, what in whats.items() if names.group_of(what) == names.SEGMENTS and what < before
        )
        if not old:
            return 0
        with translated("be merged", self.server):
            found = self._client.indices.stats(index=old, metric=["segments"])
            many = [
                index
                for index, one in found["indices"].items()
                if one["primaries"]["segments"]["count"] > _PIECES
            ]
            for index in many:
                self._client.indices.forcemerge(index=index, max_num_segments=1, wait_for_completion=False)
        return len(many)

    def delete(self, indices: Iterable[str]) -> None:
        """Delete indices; missing ones are ignored."""
        doomed = sorted(indices)
        if doomed:
            with translated("be cleaned up", self.server):
                self._client.indices.delete(index=doomed, ignore_unavailable=True)


def superseded() -> Conflict:
    """The error of a rebuild whose indices a later one removed."""
    return Conflict(
        "a later rebuild took over", code="rebuild_superseded", hint="Let the other rebuild finish."
    )
