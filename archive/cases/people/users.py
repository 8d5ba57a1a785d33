"""Adding, changing, disabling people: each one entry of a ``user`` stream, with actor and reason.

A privileged role and a role that is added take effect by a second person's consent
(:mod:`archive.cases.people.safeguards`, :mod:`archive.separation`).

A change may name the version it was decided on (``expected``); if another change came first it is refused.
The last administrator stays: a change that removes an administrator is checked again after it is written, and
reverted if two administrators removed each other at the same moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archive.cases.people import safeguards
from archive.cases.people.safeguards import FOUNDERS, check_admin_left, is_admin, takes_an_admin
from archive.clock import Clock
from archive.errors import Conflict, NotFound, Refused
from archive.ids import check_name
from archive.model.user import (
    KIND,
    PRIVILEGED,
    Role,
    User,
    access_of,
    check_compatible,
    check_user,
    from_state,
    to_state,
)
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import Separation
from archive.separation import Decision


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

    def __init__(self, ledger: Ledger, clock: Clock, can_sign_in: Callable[[User], bool] = everybody) -> None:
        self._ledger = ledger
        self._separation = Separation(ledger, clock)
        self._can_sign_in = can_sign_in

    def add(self, user: User, *, actor: str, reason: str = "") -> User:
        """Add a person; privileged roles are only proposed. Returns the person as recorded.

        The host makes the first two administrators without consent.

        Raises:
            Malformed: ``bad_id``, ``bad_user``.
            Refused: ``roles_exclude``.
            Conflict: ``user_exists``, also for a name that differs only in case.
        """
        check_user(check_compatible(user))
        taken = {entry.id.casefold() for entry in self._ledger.heads(KIND)}
        if user.id.casefold() in taken:
            raise _exists(user.id)
        is_founder = user.is_local and set(user.roles) == {Role.ADMIN} and self._founds(actor)
        user = replace(user, founder=True) if is_founder else safeguards.opened(user)
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
        return [from_state(entry.id, entry.state) for entry in self._ledger.heads(KIND)]

    def administrators(self) -> list[User]:
        """The administrators who can sign in, by id."""
        return self._who_remain(but="")

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
        """Change roles, districts and agency; roles that are added are only proposed.

        Raises:
            NotFound: ``user_not_found``. Malformed: ``bad_id``, ``bad_user``.
            Refused: ``own_account``, ``last_admin``, ``roles_exclude``.
            Conflict: ``ledger_conflict``: another writer changed the person since ``expected``.
        """
        before, version = self._head(user_id, expected)
        wanted = replace(before, roles=roles, districts=districts, agency=agency, proposed=())
        after = safeguards.changed(before, wanted)
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
        """Let a person sign in again; their old sessions stay ended, privileged roles are only proposed.

        Raises as :meth:`change`.
        """
        before, version = self._head(user_id, expected)
        if before.enabled:
            return before
        after = safeguards.reopened(before)
        return self._changed(before, after, version, action="user.enabled", actor=actor, reason=reason)

    def consent(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Consent, as a second person, to the roles that are proposed; they are in force when this returns.

        Roles that the OpenID provider claims are the provider's proposal: one administrator consents.

        Raises:
            NotFound: ``user_not_found``.
            Conflict: ``nothing_proposed``, ``ledger_conflict``.
            Refused: ``same_person``, ``persons_tied``, ``person_unknown``, ``host_unlinked``: as
                :func:`archive.separation.check_separation`; ``roles_exclude``; ``account_disabled``;
                ``invitation_needed``: another person has set the account's password.
        """
        before, version = self._head(user_id, expected)
        after = self._consented(before, actor)
        return self._append(after, version, action="user.consented", actor=actor, reason=reason)

    def why_no_consent(self, user_id: str, *, actor: str) -> Refused | None:
        """Why a person may not consent to what is proposed now; None if they may, or nothing is proposed.

        Raises:
            NotFound: ``user_not_found``. Unavailable, IntegrityError: as the ledger.
        """
        user = self.user(user_id)
        try:
            if user.proposed:
                self._consented(user, actor)
        except Refused as error:
            return error
        return None

    def why_no_second_half(self, user_id: str, *, actor: str, invited_by: str) -> Refused | None:
        """Why a person may not be given the second half of an invitation's code; None if they may.

        Raises:
            Unavailable, IntegrityError: as the ledger.
        """
        try:
            self._check_second_half(user_id, actor, invited_by)
        except Refused as error:
            return error
        return None

    def refuse(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Drop the roles that are proposed; any administrator may, since nobody gains by it.

        Raises:
            NotFound: ``user_not_found``. Conflict: ``nothing_proposed``, ``ledger_conflict``.
        """
        before, version = self._head(user_id, expected)
        safeguards.consented(before)
        after = replace(before, proposed=())
        return self._append(after, version, action="user.refused", actor=actor, reason=reason)

    def link(self, user_id: str, host: str, *, actor: str, reason: str) -> User:
        """Record under which name a person acts on hosts of the archive; names are only added.

        Raises:
            NotFound: ``user_not_found``. Malformed: ``bad_user``.
            Refused: ``own_account``: the actor is that person; ``person_unknown``.
        """
        before, version = self._head(user_id)
        self._separation.check(Decision.ACCOUNT_LINK, actor, about=(f"user:{before.id}", f"os:{host}"))
        after = replace(before, hosts=tuple(dict.fromkeys((*before.hosts, host))))
        return self._append(after, version, action="user.linked", actor=actor, reason=reason)

    def check_may_have_password(self, user: User, *, actor: str) -> None:
        """Check that a new account may begin with a password that its owner did not choose.

        Raises:
            Refused: ``invitation_needed``: it gets a privileged role, and is no founder's.
        """
        is_founder = set(user.roles) == {Role.ADMIN} and self._founds(actor)
        if PRIVILEGED & set(user.roles) and not is_founder:
            raise safeguards.invitation_needed(user.id)

    def check_password_may_be_set(self, user: User) -> None:
        """Check that another person than its owner may set the password of a local account.

        That is the case for an account without privileged roles, for a founder who has none yet, and for an
        administrator while none can sign in.

        Raises:
            Refused: ``invitation_needed``.
        """
        if not PRIVILEGED & access_of(user).roles:
            return
        if not self.administrators() and Role.ADMIN in user.roles:
            return
        if not (user.founder and not self._can_sign_in(user)):
            raise safeguards.invitation_needed(user.id)

    def password_set(self, user_id: str, *, actor: str, reason: str) -> User:
        """Record that another person set the password of an account, and end its sessions."""
        before, version = self._head(user_id)
        after = replace(before, epoch=before.epoch + 1)
        return self._append(after, version, action="user.password_set", actor=actor, reason=reason)

    def invitation_completed(self, user_id: str, *, actor: str, invited_by: str, reason: str) -> User:
        """Record that a second person was given the second half of an invitation's code.

        Raises:
            Refused: as :func:`archive.separation.check_separation`.
        """
        user, version = self._head(user_id)
        self._check_second_half(user_id, actor, invited_by)
        return self._append(user, version, action="user.invitation_completed", actor=actor, reason=reason)

    def end_sessions(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """End every session of a person, here and in every other process. Raises as :meth:`change`."""
        before, version = self._head(user_id, expected)
        after = replace(before, epoch=before.epoch + 1)
        return self._append(after, version, action="user.sessions_ended", actor=actor, reason=reason)

    def is_new_founder(self, user_id: str) -> bool:
        """Whether the account is a founder's, and was only opened yet. Raises as :meth:`user`."""
        head = self.head(user_id)
        return head.user.founder and head.entry.version == 1

    def invited(self, user_id: str, *, actor: str, reason: str) -> User:
        """Record that a person was given the means to choose a password. Raises as :meth:`change`."""
        user, version = self._head(user_id)
        return self._append(user, version, action="user.invited", actor=actor, reason=reason)

    def seen(self, user: User, *, actor: str) -> User:
        """Adopt an OpenID provider's present statement about a person; add new people.

        A name belongs to the account that first used it. Privileged roles take effect by consent.

        Raises:
            Refused: ``identity_conflict``: another account, or a local one, has that name;
                ``roles_exclude``.
            Malformed: ``bad_id``, ``bad_user``: the provider's statement cannot go on record.
            Conflict: ``ledger_conflict``: another writer changed the person at the same moment.
        """
        check_user(check_compatible(user))
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
        stated = replace(
            before, name=user.name, roles=user.roles, districts=user.districts, agency=user.agency
        )
        after = safeguards.claimed(before, stated)
        if after == before:
            return before
        return self._append(after, version, action="user.claims_changed", actor=actor, reason="sign-in")

    def _head(self, user_id: str, expected: int | None = None) -> tuple[User, int]:
        """The newest state; a conflict if ``expected`` is another version, before any rule is checked."""
        head = self._ledger.head_at(KIND, check_name(KIND, user_id), expected)
        return from_state(user_id, head.state), head.version

    def _consented(self, before: User, actor: str) -> User:
        """The account after this person's consent. Raises as :meth:`consent`."""
        after = check_compatible(safeguards.consented(before))
        own = f"user:{before.id}"
        if not before.enabled:
            raise Refused("the account is closed", code="account_disabled", hint="Reopen the account first.")
        history = self.history(before.id)
        if set(after.roles) == {Role.ADMIN} and self._founds(actor):
            return replace(after, founder=True)
        proposed_by = [one for one in safeguards.proposers(history) if one != own]
        self._separation.check(Decision.ACCOUNT_CONSENT, actor, proposed_by, about=(own,))
        safeguards.check_own_password(after, history)
        return after

    def _check_second_half(self, user_id: str, actor: str, invited_by: str) -> None:
        self._separation.check(Decision.INVITATION_COMPLETE, actor, (invited_by,), about=(f"user:{user_id}",))

    def _changed(
        self, before: User, after: User, version: int, *, action: str, actor: str, reason: str
    ) -> User:
        check_compatible(after)
        if safeguards.extends(before, after):
            self._separation.check(Decision.ACCOUNT_CHANGE, actor, about=(f"user:{before.id}",))
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

    def _founds(self, actor: str) -> bool:
        """Whether the actor is on the host, and fewer than :data:`FOUNDERS` accounts were ever admins."""
        if not actor.startswith("os:"):
            return False
        admins = {
            head.id
            for head in self._ledger.heads(KIND)
            for entry in self._ledger.history(KIND, head.id)
            if Role.ADMIN in from_state(entry.id, entry.state).roles
        }
        return len(admins) < FOUNDERS

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
