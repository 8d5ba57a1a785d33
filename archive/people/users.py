"""Adding, changing, disabling people: each one entry of a ``user`` stream, with actor and reason."""

from dataclasses import replace

from archive.errors import Conflict, NotFound, Refused
from archive.ids import check_name
from archive.ledger import Ledger
from archive.model.user import KIND, Role, User, check_user, from_state, to_state


class Users:
    """The people of one archive. Thread-safe as its ledger is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

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
        """One person as the ledger has them now. Raises NotFound ``user_not_found``, Malformed ``bad_id``."""
        return from_state(user_id, self._ledger.head(KIND, check_name(KIND, user_id)).state)

    def users(self) -> list[User]:
        """Everybody, by id."""
        return [from_state(entry.id, entry.state) for entry in self._ledger.heads(KIND)]

    def change(
        self,
        user_id: str,
        *,
        roles: tuple[Role, ...],
        districts: tuple[str, ...],
        agency: str,
        actor: str,
        reason: str,
    ) -> User:
        """Give other roles and districts. Raises as :meth:`add` and :meth:`user`."""
        before, version = self._head(user_id)
        after = replace(before, roles=roles, districts=districts, agency=agency)
        return self._append(after, version, action="user.changed", actor=actor, reason=reason)

    def disable(self, user_id: str, *, actor: str, reason: str) -> User:
        """Let a person in no more, and end their sessions. Nothing happens where that is so."""
        before, version = self._head(user_id)
        if not before.enabled:
            return before
        after = replace(before, enabled=False, epoch=before.epoch + 1)
        return self._append(after, version, action="user.disabled", actor=actor, reason=reason)

    def enable(self, user_id: str, *, actor: str, reason: str) -> User:
        """Let a person in again; their old sessions stay ended."""
        before, version = self._head(user_id)
        if before.enabled:
            return before
        after = replace(before, enabled=True)
        return self._append(after, version, action="user.enabled", actor=actor, reason=reason)

    def end_sessions(self, user_id: str, *, actor: str, reason: str) -> User:
        """End every session of a person, here and in every other process."""
        before, version = self._head(user_id)
        after = replace(before, epoch=before.epoch + 1)
        return self._append(after, version, action="user.sessions_ended", actor=actor, reason=reason)

    def seen(self, user: User, *, actor: str) -> User:
        """Take over what an OpenID provider says of a person now; add them where they are new.

        A name belongs to the account that first came with it.

        Raises:
            Refused: ``identity_conflict``: another account, or a local one, has that name.
            Malformed: ``bad_id``, ``bad_user``: what the provider says cannot go on record.
            Conflict: ``ledger_conflict``: somebody else changed the person at the same moment.
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
                hint="An administrator has to give one of the two another name.",
            )
        after = replace(
            before, name=user.name, roles=user.roles, districts=user.districts, agency=user.agency
        )
        if after == before:
            return before
        return self._append(after, version, action="user.claims_changed", actor=actor, reason="sign-in")

    def _head(self, user_id: str) -> tuple[User, int]:
        head = self._ledger.head(KIND, check_name(KIND, user_id))
        return from_state(user_id, head.state), head.version

    def _append(self, user: User, expected: int, *, action: str, actor: str, reason: str) -> User:
        check_user(user)
        state = to_state(user)
        self._ledger.append(
            KIND, user.id, state, expected=expected, actor=actor, action=action, reason=reason
        )
        return user


def _exists(user_id: str) -> Conflict:
    return Conflict(
        f"there is somebody named {user_id}", code="user_exists", hint="Choose another name, or change them."
    )
