"""Account administration: opening and closing accounts in the ledger, passwords, invitations and tokens.

Steps of closing an account:

1. the ledger entry is appended: from now on no process accepts the account's sessions (their epoch is over)
   or tokens it made, within the age of the process's roster;
2. its invitation is withdrawn;
3. the tokens it made are revoked and recorded one by one, so that none returns with the account.

After a crash between the steps nobody is admitted; closing the account again does the remaining steps.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from api.auth.catching_up import catch_up
from api.auth.invitations import Invitation, Invitations
from api.auth.machines import Machines
from api.auth.passwords import Passwords, check_password
from api.auth.people import People
from archive.cases.people.users import Users
from archive.errors import NotFound, Refused
from archive.model.user import Role, User


class SignInMethods:
    """How people sign in. Reads each file once, when first needed; make a new one for each answer."""

    def __init__(self, passwords: Passwords, invitations: Invitations) -> None:
        self._passwords = passwords
        self._invitations = invitations

    def of(self, user: User) -> str:
        """How a person signs in: ``provider``, ``password``, ``invited``, or "" if they cannot.

        Raises:
            Unavailable: ``passwords_unreadable``, ``invitations_unreadable``.
        """
        if not user.is_local:
            return "provider"
        if user.id in self._with_password:
            return "password"
        return "invited" if user.id in self._invited else ""

    @cached_property
    def _with_password(self) -> frozenset[str]:
        return self._passwords.owners()

    @cached_property
    def _invited(self) -> frozenset[str]:
        return self._invitations.invited()


@dataclass(frozen=True, slots=True)
class SecondPart:
    """What waits for a second person now, and why a certain person may not be the one.

    ``invited_by`` has the first half of a code that waits for its second; "" if none waits. ``consent`` and
    ``second_half`` are codes of refusals, "" if the person may, or if nothing waits.
    """

    invited_by: str
    consent: str
    second_half: str


class AccountAdministration:
    """Administers the accounts of one installation. Thread-safe."""

    def __init__(
        self,
        *,
        users: Users,
        passwords: Passwords,
        invitations: Invitations,
        machines: Machines,
        people: People | None = None,
    ) -> None:
        self.users = users
        self.machines = machines
        self._passwords = passwords
        self._invitations = invitations
        self._people = people

    def open_account(self, user: User, *, actor: str, reason: str) -> User:
        """Add a local account without a password: an invitation gives one.

        Returns it as recorded: privileged roles wait for consent. Raises as :class:`Users`.
        """
        added = self.users.add(user, actor=actor, reason=reason)
        catch_up(self._people)
        return added

    def invite(self, user_id: str, *, actor: str, reason: str = "") -> Invitation:
        """The first half of a one-time code with which a person chooses the password of their account.

        Another person completes it (:meth:`complete_invitation`). A founder who was just made on the host is
        given the whole code, since nobody could complete it. The ledger entry comes before the code is made.

        Raises:
            NotFound: ``user_not_found``.
            Refused: ``no_password_here``: the OpenID provider has it; ``account_disabled``.
            Unavailable: ``invitations_unreadable``.
        """
        self._require_open(user_id)
        is_founder = actor.startswith("os:") and self.users.is_new_founder(user_id)
        self.users.invited(user_id, actor=actor, reason=reason)
        made = self._invitations.make(user_id, made_by=actor)
        if is_founder:
            second = self._invitations.complete(user_id, made_by=actor, completed_by=actor)
            made = replace(made, code=made.code + second.code)
        try:
            self._require_open(user_id)
        except Refused:  # closed in the meantime, which withdrew the codes before this one was made
            self._invitations.withdraw(user_id)
            raise
        return made

    def complete_invitation(self, user_id: str, *, actor: str, reason: str = "") -> Invitation:
        """The second half of a code, for a person who is not the one who has the first.

        Raises:
            NotFound: ``user_not_found``, ``not_invited``.
            Refused: ``no_password_here``, ``account_disabled``; ``same_person``, ``persons_tied``,
                ``person_unknown``, ``host_unlinked``: as :func:`archive.separation.check_separation`.
            Unavailable: ``invitations_unreadable``.
        """
        self._require_open(user_id)
        invited_by = self._invitations.made_by(user_id)
        self.users.invitation_completed(user_id, actor=actor, invited_by=invited_by, reason=reason)
        return self._invitations.complete(user_id, made_by=invited_by, completed_by=actor)

    def consent(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Put proposed roles in force, as a second person. Raises as :meth:`Users.consent`."""
        after = self.users.consent(user_id, actor=actor, reason=reason, expected=expected)
        catch_up(self._people)
        return after

    def second_part(self, user_id: str, *, actor: str) -> SecondPart:
        """What of an account waits for a second person, and whether ``actor`` may be the one.

        Raises:
            NotFound: ``user_not_found``. Unavailable: ``invitations_unreadable``, or the ledger.
        """
        consent = self.users.why_no_consent(user_id, actor=actor)
        try:
            invited_by = self._invitations.made_by(user_id)
        except NotFound:
            return SecondPart("", _code_of(consent), "")
        half = self.users.why_no_second_half(user_id, actor=actor, invited_by=invited_by)
        return SecondPart(invited_by, _code_of(consent), _code_of(half))

    def refuse(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Drop proposed roles. Raises as :meth:`Users.refuse`."""
        after = self.users.refuse(user_id, actor=actor, reason=reason, expected=expected)
        catch_up(self._people)
        return after

    def set_password(self, user_id: str, password: str, *, actor: str) -> User:
        """Give a local account a password that its owner did not choose; its sessions end.

        Raises:
            NotFound: ``user_not_found``. Malformed: ``weak_password``.
            Refused: ``no_password_here``; ``invitation_needed``: only its owner may know the password.
        """
        user = self.require_local(user_id)
        self.users.check_password_may_be_set(user)
        check_password(user_id, password)
        after = self.users.password_set(user_id, actor=actor, reason="password set")
        self._passwords.put(user_id, password)
        catch_up(self._people)
        return after

    def change(
        self,
        user_id: str,
        *,
        roles: tuple[Role, ...] | None,
        districts: tuple[str, ...] | None,
        agency: str | None,
        actor: str,
        reason: str,
        expected: int | None = None,
    ) -> User:
        """Give a local account other roles, districts or agency; None leaves a field as it is.

        Raises:
            Refused: ``no_password_here``: the OpenID provider decides them; ``own_account``; ``last_admin``.
            And as :meth:`Users.change`.
        """
        before = self.require_local(user_id)
        after = self.users.change(
            user_id,
            roles=(*before.roles, *before.proposed) if roles is None else roles,
            districts=before.districts if districts is None else districts,
            agency=before.agency if agency is None else agency,
            actor=actor,
            reason=reason,
            expected=expected,
        )
        catch_up(self._people)
        return after

    def close_account(
        self, user_id: str, *, actor: str, reason: str, expected: int | None = None
    ) -> tuple[User, list[str]]:
        """Close an account; return it and the tokens that were revoked with it.

        Raises as :meth:`Users.disable`, and as the files.
        """
        closed = self.users.disable(user_id, actor=actor, reason=reason, expected=expected)
        catch_up(self._people)
        self._invitations.withdraw(user_id)
        revoked = self.machines.revoke_those_of(
            f"user:{user_id}", actor=actor, reason=f"{user_id} was disabled"
        )
        return closed, revoked

    def reopen_account(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """Reopen an account; its former sessions and tokens stay ended. Raises as :meth:`Users.enable`."""
        opened = self.users.enable(user_id, actor=actor, reason=reason, expected=expected)
        catch_up(self._people)
        return opened

    def end_sessions(self, user_id: str, *, actor: str, reason: str, expected: int | None = None) -> User:
        """End every session of an account. Raises as :meth:`Users.end_sessions`."""
        after = self.users.end_sessions(user_id, actor=actor, reason=reason, expected=expected)
        catch_up(self._people)
        return after

    def sign_in_methods(self) -> SignInMethods:
        """How people sign in, by the files as they are now; use it for one answer only."""
        return SignInMethods(self._passwords, self._invitations)

    def signs_in(self, user: User) -> str:
        """How one person signs in. As :meth:`SignInMethods.of`."""
        return self.sign_in_methods().of(user)

    def require_local(self, user_id: str) -> User:
        """A local account. Raises NotFound ``user_not_found``, Refused ``no_password_here``."""
        user = self.users.user(user_id)
        if not user.is_local:
            raise Refused(
                f"{user_id} signs in through {user.issuer}",
                code="no_password_here",
                hint="Change roles and password at the OpenID provider.",
            )
        return user

    def _require_open(self, user_id: str) -> None:
        if not self.require_local(user_id).enabled:
            raise Refused(
                "the account is closed",
                code="account_disabled",
                hint="Reopen the account first, then invite.",
            )


def _code_of(refused: Refused | None) -> str:
    return "" if refused is None else refused.code
