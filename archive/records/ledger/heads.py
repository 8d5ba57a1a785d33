"""The newest entry of every stream of one ledger kind, kept up to date.

A look lists what can have grown (:mod:`archive.records.ledger.ends`), and reads what did. What decides over
destruction (holds) and what decides over keeping (policies) is read this way by every process that needs it,
each at its own pace; whoever destroys lists every entry at each look.
"""

from collections.abc import Callable, Collection, Mapping

from archive import keys
from archive.ports import ObjectStore, ObjectVersion
from archive.records.ledger.ends import Ends
from archive.records.ledger.streams import Entry, Ledger


class Heads:
    """The heads of one kind. Not thread-safe: whoever shares it guards :meth:`refresh`.

    ``ends`` are the values of ``status`` that nothing may follow. ``changes`` counts the streams that
    were found to have grown, so that one may tell whether any did.
    """

    def __init__(
        self, ledger: Ledger, records: ObjectStore, kind: str, *, ends: Collection[str] = ()
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._ends = Ends(records, kind, ends)
        self._entries: dict[str, Entry] = {}
        self.changes = 0

    def refresh(self) -> Mapping[str, Entry]:
        """All heads by stream id, as the ledger has them now.

        Raises:
            Unavailable: the store does not answer; what was known before is still in :attr:`known`.
            IntegrityError: an entry does not read; nothing is skipped, since it may be a hold.
        """
        newest: dict[str, tuple[int, ObjectVersion]] = {}
        for prefix in self._ends.prefixes():
            for listed in self._records.list(prefix):
                _, entity, version = keys.parse_ledger_key(listed.key)
                if entity not in newest or version > newest[entity][0]:
                    newest[entity] = (version, listed)
        for entity, (version, listed) in newest.items():
            known = self._entries.get(entity)
            if known is None or known.version != version:
                entry = self._ledger.listed(listed)
                self._ends.note(entry)
                self._entries[entity] = entry
                self.changes += 1
        self._ends.looked()
        return self._entries

    def prefixes(self, wanted: Callable[[Entry], bool]) -> list[str]:
        """What to list to meet every entry of the streams that may grow, and of those that are ``wanted``.

        A stream is wanted by its head, as the last look had it. Raises as the store.
        """
        return self._ends.prefixes(wanted)

    @property
    def known(self) -> Mapping[str, Entry]:
        """The heads as of the last refresh."""
        return self._entries
