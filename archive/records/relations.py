"""The relations between people that the ledger knows: who opened, invited or raised whom, and who is whom.

**Who is whom.** A person of the host (``os:ani``) is the owner of the account with the same name and of the
accounts that are linked to the name. A token acts for its maker. A name that was used for several tokens
stands for all their makers, since nothing on record says which of the tokens acted. A token whose making is
not on record, such as the first one of an installation, acts for nobody.

**Ties** are the entries in an account's stream that another person wrote, and that gave it life or rights.
The first two administrators of an installation are made on its host by one person, so their opening ties
nobody.
"""

import re
from collections.abc import Iterable, Iterator

from archive.clock import Clock
from archive.model import token as tokens
from archive.model import user as users
from archive.model.user import Access, User, access_of
from archive.persons import names_person, person_of
from archive.records.ledger.streams import Entry, Ledger
from archive.separation import Decision, Relations, Tie, check_known, check_separation

GIVES_LIFE = frozenset(
    {
        "user.added",
        "user.invited",
        "user.invitation_completed",
        "user.enabled",
        "user.consented",
        "user.password_set",
    }
)
"""Acts on an account after which it can do more, whatever they changed in its state."""
_FOUNDING = frozenset({"user.invited", "user.password_set"})
_OLD_PASSWORD = ("user.sessions_ended", "password set")
"""How version 0.1.0 recorded a password that was set on the host."""
_DOMAIN = re.compile(r"os:(?:.*[\\+])?([^@]+)(?:@.*)?\Z")


class Separation:
    """Applies :mod:`archive.separation` to one archive. Thread-safe as its ledger is."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def check(
        self, decision: Decision, decider: str, proposers: Iterable[str] = (), *, about: Iterable[str] = ()
    ) -> None:
        """Allow a decision now, or refuse it. Raises as :func:`archive.separation.check_separation`."""
        others, favoured = tuple(proposers), tuple(about)
        relations = self.relations((decider, *others, *favoured))
        check_separation(decision, decider, others, relations, self._clock.now(), about=favoured)

    def check_known(self, actor: str) -> None:
        """Require a known person for a proposal that a second one decides. Raises ``person_unknown``."""
        check_known(actor, self.relations((actor,)))

    def relations(self, actors: Iterable[str], *, until: int | None = None) -> Relations:
        """What the ledger knows about these actors; of ties only those at or before ``until`` (µs).

        Raises:
            Unavailable: the ledger does not answer. IntegrityError, Malformed: a stream is unreadable.
        """
        asked = tuple(dict.fromkeys(actors))
        return relations_of(self._ledger, asked, until=until)


def relations_of(ledger: Ledger, actors: Iterable[str], *, until: int | None = None) -> Relations:
    """As :meth:`Separation.relations`."""
    people = _People(ledger)
    ids = {actor: people.ids_of(actor) for actor in actors}
    accounts = {one for found in ids.values() for one in found if one.startswith("user:")}
    ties = [
        Tie(by=people.ids_of(entry.actor), account=account, at=entry.at, act=entry.action)
        for account in sorted(accounts)
        for entry in _tying(people.history(account.removeprefix("user:")), account)
        if until is None or entry.at <= until
    ]
    return Relations(ids=ids, ties=tuple(ties))


class _People:
    """Finds the person behind an actor; reads each stream once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._histories: dict[str, list[Entry]] = {}
        self._linked: dict[str, set[str]] | None = None

    def history(self, account: str) -> list[Entry]:
        """The entries of an account; none for a name that is no account."""
        if account not in self._histories:
            self._histories[account] = list(self._ledger.history(users.KIND, account))
        return self._histories[account]

    def ids_of(self, actor: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Every id of the person behind an actor."""
        kind, _, name = actor.partition(":")
        if not names_person(actor):
            return frozenset({person_of(actor)})
        if kind == "token":
            return self._of_token(name, seen | {actor})
        if kind == "user":
            return self._of_account(name)
        if kind == "os":
            return self._of_host(person_of(actor))
        return frozenset({actor})

    def _of_token(self, name: str, seen: frozenset[str]) -> frozenset[str]:
        makers = {
            entry.actor
            for entry in self._ledger.history(tokens.KIND, name)
            if entry.action == "token.created" and entry.actor not in seen
        }
        return frozenset(one for maker in makers for one in self.ids_of(maker, seen))

    def _of_account(self, name: str) -> frozenset[str]:
        entries = self.history(name)
        hosts = users.from_state(name, entries[-1].state).hosts if entries else ()
        return frozenset({f"user:{name}", f"os:{name}", *(f"os:{host}" for host in hosts)})

    def _of_host(self, person: str) -> frozenset[str]:
        short = _DOMAIN.sub(r"\1", person)
        accounts = self._accounts_of({person.removeprefix("os:").casefold(), short.casefold()})
        found = {person, *(one for account in accounts for one in self._of_account(account))}
        return frozenset(found)

    def _accounts_of(self, names: set[str]) -> set[str]:
        """The accounts that have one of the names, or are linked to it."""
        if self._linked is None:
            self._linked = {}
            for head in self._ledger.heads(users.KIND):
                for name in (head.id, *users.from_state(head.id, head.state).hosts):
                    self._linked.setdefault(name.casefold(), set()).add(head.id)
        return {account for name in names for account in self._linked.get(name, ())}


def _tying(entries: Iterable[Entry], account: str) -> Iterator[Entry]:
    """The entries in which another person gave the account life or rights."""
    before: User | None = None
    opener = ""
    for entry in entries:
        after = users.from_state(entry.id, entry.state)
        if before is None and after.founder:
            opener = entry.actor
        # A founder's password, or the code for it, follows the opening at once, by the same person.
        is_founding = entry.actor == opener and (
            entry.version == 1 or (entry.version == 2 and entry.action in _FOUNDING)
        )
        ties = entry.action in GIVES_LIFE or (entry.action, entry.reason) == _OLD_PASSWORD
        gained = _gained(Access() if before is None else access_of(before), access_of(after))
        if entry.actor != account and not is_founding and (ties or gained):
            yield entry
        before = after


def _gained(before: Access, after: Access) -> bool:
    return bool(
        after.roles - before.roles or after.districts - before.districts or after.agency - before.agency
    )
