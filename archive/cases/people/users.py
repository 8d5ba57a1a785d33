"""Adding, changing, disabling people: each one entry of a ``user`` stream, with actor and reason.

A change may name the version it was decided on (``expected``); if another change came first it is refused.
The last administrator stays: a change that removes an administrator is checked again after it is written, and
reverted if two administrators removed each other at the same moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archive.cases.people.safeguards import check_admin_left, check_not_raised, is_admin, takes_an_admin
from archive.errors import Conflict, NotFound, Refused
from archive.ids import check_name
from archive.model.user import KIND, Role, User, check_user, from_state, to_state
from archive.records.ledger.streams import Entry, Ledger


@dataclass(frozen=True, slots=True)
class UserHead:
    """A person, and their newest entry."""

    user: User
    entry: Entry


def everybody(_user: User) -> bool:
    """The default: everybody can sign in."""
    return True


class Users:
    """The people of one archive. Thread-safe as its ledger is.

    ``can_sign_in`` says whether a person has the means to sign in: an administrator without a password does
    not count as an administrator.
    """

    def __init__(self, ledger: Ledger, can_sign_in: Callable[[User], bool] = everybody) -> None:
        self._ledger = ledger
        self._can_sign_in = can_sign_in

    def add(self, user: User, *, actor: str, reason: str = "") -> User:
        """Add a person.

        Raises:
            Malformed: ``bad_id``, ``bad_user``.
            Conflict: ``user_exists``, also for a name that differs only in case.
        """
        check_user(user)
        taken = {entry.id.casefold() for entry in self._ledger.heads(KIND)}
        if user.id.casefold() in taken:
            raise _exists(user.id)
        try:
            self._ledger.append(
                KIND, user.id, to_state(user), expected=0, actor=actor, action="user.added", reason=reason
            )
        except Conflict as error:
            raise _exists(user.id) from error
        return user

    def user(self, user_id: str) -> User:
        """One person as in the ledger now. Raises NotFound ``user_not_found``, Malformed ``bad_id``."""
        return from_state(user_id, self._ledger.head(KIND, check_name(KIND, user_id)).state)

    def head(self, user_id: str) -> UserHead:
        """One person with their newest entry. Raises as :meth:`user`."""
        entry = self._ledger.head(KIND, check_name(KIND, user_id))
        return UserHead(from_state(user_id, entry.state), entry)

    def history(self, user_id: str) -> list[Entry]:
        """Every entry about a person, oldest first. Raises Malformed ``bad_id``."""
        return list(self._ledger.history(KIND, check_name(KIND, user_id)))

    def users(self) -> list[User]:
        """Everybody, by id."""
        return [head.user for head in self.heads()]

    def heads(self) -> list[UserHead]:
        """Everybody with their newest entry, by id."""
        return [UserHead(from_state(entry.id, entry.state), entry) for entry in self._ledger.heads(KIND)]

    def change(
        self,
        user_id: str,
        *,
        roles: tuple[Role, ...],
        districts: tuple[str, ...],
        agency: str,
        actor: str,
        reason: str,
        expected: int | None = None,
    ) -> User:
        """Change roles, districts and agency.

        Raises:
            NotFound: ``user_not_found``. Malformed: ``bad_id``, ``bad_user``.
            Refused: ``own_account``, ``last_admin``.
            Conflict: ``ledger_conflict``: another writer changed the person since ``expected``.
        """
        before, version = self._head(user_id, expected)
        after = replace(before, roles=roles, districts=districts, agency=agency)
        return self._changed(before, after, version, action="user.changed", actor=actor, reason=reason)

    def disable(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Bar a person from signing in, and end their sessions. Does nothing if they are disabled already.

        Raises as :meth:`change`.
        """
        before, version = self._head(user_id, expected)
        if not before.enabled:
            return before
        after = replace(before, enabled=False, epoch=before.epoch + 1)
        return self._changed(before, after, version, action="user.disabled", actor=actor, reason=reason)

    def enable(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Let a person sign in again; their old sessions stay ended. Raises as :meth:`change`."""
        before, version = self._head(user_id, expected)
        if before.enabled:
            return before
        after = replace(before, enabled=True)
        return self._changed(before, after, version, action="user.enabled", actor=actor, reason=reason)

    def end_sessions(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """End every session of a person, here and in every other process. Raises as :meth:`change`."""
        before, version = self._head(user_id, expected)
        after = replace(before, epoch=before.epoch + 1)
        return self._append(after, version, action="user.sessions_ended", actor=actor, reason=reason)

    def invited(self, user_id: str, *, actor: str, reason: str) -> User:
        """Record that a person was given the means to choose a password. Raises as :meth:`change`."""
        user, version = self._head(user_id)
        return self._append(user, version, action="user.invited", actor=actor, reason=reason)

    def seen(self, user: User, *, actor: str) -> User:
        """Adopt an OpenID provider's present statement about a person; add new people.

        A name belongs to the account that first used it.

        Raises:
            Refused: ``identity_conflict``: another account, or a local one, has that name.
            Malformed: ``bad_id``, ``bad_user``: the provider's statement cannot go on record.
            Conflict: ``ledger_conflict``: another writer changed the person at the same moment.
        """
        check_user(user)
        try:
            before, version = self._head(user.id)
        except NotFound:
            return self.add(user, actor=actor, reason="first sign-in")
        if (before.issuer, before.subject) != (user.issuer, user.subject):
            raise Refused(
                f"the name {user.id} belongs to another account",
                code="identity_conflict",
                hint="An administrator must give one of the two accounts another name.",
            )
        after = replace(
            before, name=user.name, roles=user.roles, districts=user.districts, agency=user.agency
        )
        if after == before:
            return before
        return self._append(after, version, action="user.claims_changed", actor=actor, reason="sign-in")

    def _head(self, user_id: str, expected: int | None = None) -> tuple[User, int]:
        """The newest state; a conflict if ``expected`` is another version, before any rule is checked."""
        head = self._ledger.head_at(KIND, check_name(KIND, user_id), expected)
        return from_state(user_id, head.state), head.version

    def _changed(
        self, before: User, after: User, version: int, *, action: str, actor: str, reason: str
    ) -> User:
        check_not_raised(actor, before, after)
        if not takes_an_admin(before, after):
            return self._append(after, version, action=action, actor=actor, reason=reason)
        check_admin_left(self._who_remain(but=before.id))
        self._append(after, version, action=action, actor=actor, reason=reason)
        try:
            check_admin_left(self._who_remain(but=before.id))
        except Refused:
            # Another administrator was removed at the same moment; that process sees the same. Each of the
            # two reverts its own change.
            restored = replace(before, epoch=after.epoch)
            why = "no administrator was left"
            self._append(restored, version + 1, action="user.changed", actor=actor, reason=why)
            raise
        return after

    def _who_remain(self, *, but: str) -> list[User]:
        """The other people who can admit people, read again."""
        return [
            user for user in self.users() if user.id != but and is_admin(user) and self._can_sign_in(user)
        ]

    def _append(self, user: User, expected: int, *, action: str, actor: str, reason: str) -> User:
        check_user(user)
        state = to_state(user)
        self._ledger.append(
            KIND, user.id, state, expected=expected, actor=actor, action=action, reason=reason
        )
        return user


def _exists(user_id: str) -> Conflict:
    return Conflict(
        f"there is already a person named {user_id}",
        code="user_exists",
        hint="Choose another name, or change that person.",
    )
