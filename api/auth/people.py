"""Sign-in, sessions and sign-out of people: local accounts and the OpenID provider behind one interface.

The rules are the same for both: the ledger says who may sign in, a session is a cookie, and a person who was
disabled or signed out is refused by every process within the age of its roster. Roles and districts from the
provider are taken over at each sign-in and each renewal, and are in force from then on.

Durable steps of a sign-out:

1. the person's epoch goes up in the ledger, which ends every session of theirs;
2. this process reads it at once, others within the roster's age;
3. the session at the provider is ended; if the provider does not answer, only that session stays.
"""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from api.auth.invitations import Invitations
from api.auth.lockout import Lockout
from api.auth.oidc import Identity, Provider
from api.auth.passwords import Passwords, check_password
from api.auth.principal import Principal
from api.auth.sessions import CookieBox, Pending, Session
from archive.cases.people import safeguards
from archive.cases.people.roster import Roster
from archive.cases.people.users import Users
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Refused, Unavailable
from archive.model.user import Role, User, check_compatible, in_force
from archive.timespan import MINUTE

_MAX_RENEWED = 10_000
_STRIPES = 16


@dataclass(frozen=True, slots=True)
class _Renewed:
    """The provider's newest answer about a session, for requests that still carry an older cookie."""

    checked_at: int
    refresh: str


@dataclass(frozen=True, slots=True)
class Present:
    """A person with a valid cookie: the principal, the session now, and whether to send the cookie again."""

    principal: Principal
    session: Session
    changed: bool


class People:
    """Signs people in and out. Thread-safe; every method may wait for the ledger or the provider.

    ``provider`` is None if there is no OpenID provider.
    """

    def __init__(
        self,
        *,
        users: Users,
        roster: Roster,
        passwords: Passwords,
        cookies: CookieBox,
        clock: Clock,
        provider: Provider | None = None,
        invitations: Invitations | None = None,
        lockout: Lockout | None = None,
    ) -> None:
        self._users = users
        self._roster = roster
        self._passwords = passwords
        self.cookies = cookies
        self._clock = clock
        self._provider = provider
        self._invitations = invitations
        self._lockout = lockout or Lockout(clock)
        self._renewing = tuple(threading.Lock() for _ in range(_STRIPES))
        self._renewed: OrderedDict[str, _Renewed] = OrderedDict()

    def name_of(self, user_id: str) -> str:
        """The name of an account, "" if it has none or there is no such account. Raises as the roster."""
        person = self._roster.person(user_id)
        return "" if person is None else person.name

    @property
    def has_provider(self) -> bool:
        """Whether people may also sign in at an OpenID provider."""
        return self._provider is not None

    # -- sign-in ---------------------------------------------------------------------------------------

    def sign_in(
        self, user_id: str, password: str, *, address: str, purpose: str, browser: str = ""
    ) -> Session:
        """A session of a local account. ``browser`` is what a browser known to the account proved to be.

        Raises:
            Refused: ``sign_in_failed``, the same for every cause; ``sign_in_locked``; after a right password
                ``no_role``: no role is in force.
            Unavailable: ``passwords_unreadable``, ``busy``; the ledger does not answer.
        """
        self._lockout.check(user_id, address, browser=browser)
        proved = self._passwords.proves(user_id, password)
        self._roster.refresh()
        person = self._roster.person(user_id)
        if not proved or person is None or not person.enabled or not person.is_local:
            self._lockout.failed(user_id, address, browser=browser)
            raise Refused(
                "name or password is wrong, or the account is closed",
                code="sign_in_failed",
                hint="Check both; an administrator can give you a new password.",
            )
        self._lockout.succeeded(user_id, address, browser=browser)
        return self._begun(_with_role(person), purpose=purpose, refresh="")

    def accept(self, code: str, password: str, *, address: str) -> Session:
        """A session of the person invited with a code, who chooses a password with it. A code works once.

        1. the password is checked, so that a weak one does not use up the code;
        2. the code is used up: if several callers present it at once, one succeeds;
        3. the password is stored, and the account's former sessions end.

        If the process dies after 2, the account has to be invited again.

        Raises:
            Refused: ``invitation_refused``, the same for a code that is unknown, used, expired, or of a
                closed account; ``sign_in_locked``; ``no_role``: the password is stored, and the account waits
                for consent to its roles.
            Malformed: ``weak_password``.
            Unavailable: the files or the ledger do not answer.
        """
        # Failures count only for the address: an invalid code names no account.
        self._lockout.check(None, address)
        invited = None if self._invitations is None else self._invitations.whose(code)
        self._roster.refresh()
        person = None if invited is None else self._roster.person(invited)
        if self._invitations is None or person is None or not person.enabled or not person.is_local:
            self._lockout.failed(None, address)
            raise _not_invited()
        check_password(person.id, password)
        if self._invitations.take(code) != person.id:
            raise _not_invited()
        self._passwords.put(person.id, password)
        after = self._users.end_sessions(person.id, actor=f"user:{person.id}", reason="invitation accepted")
        self._lockout.succeeded(person.id, address)
        self._roster.refresh()
        return self._begun(_with_role(after), purpose="", refresh="")

    def begin_at_provider(self, following: str) -> tuple[str, Pending]:
        """The URL to send the browser to, and the pending sign-in. Raises as :class:`Provider`."""
        pending = Pending(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=following,
            begun_at=self._clock.now(),
        )
        address = self._required().sign_in_address(
            state=pending.state, nonce=pending.nonce, verifier=pending.verifier
        )
        return address, pending

    def finish_at_provider(self, pending: Pending, code: str) -> Session:
        """A session of the person the provider's code is for.

        Raises:
            Refused: ``sign_in_refused``, ``account_disabled``, ``identity_conflict``; ``roles_exclude``: the
                provider names roles that exclude one another; ``no_role``: no role is in force.
            Malformed: ``bad_id``, ``bad_user``: the provider's name is not valid as a name here.
            Unavailable: the provider or the ledger does not answer.
        """
        tokens, identity = self._required().exchange(code, verifier=pending.verifier, nonce=pending.nonce)
        person = self._met(identity)
        self._roster.refresh()
        if not person.enabled:
            raise _disabled()
        return self._begun(_with_role(person), purpose="", refresh=tokens.refresh)

    def has_account(self, user_id: str) -> bool:
        """Whether somebody has this name here, as of the roster."""
        return self._roster.person(user_id) is not None

    # -- sessions --------------------------------------------------------------------------------------

    def present(self, cookie: str) -> Present:
        """The person and session of a cookie.

        Raises:
            Refused: ``session_ended``: the cookie is not ours, or the session is over, or the person was
                signed out or disabled.
            Unavailable: the ledger or the provider does not answer; nobody is admitted.
        """
        session = self.cookies.open(cookie)
        if session is None:
            raise _ended()
        now = self._clock.now()
        kept = session
        person = self._holder(session)
        if person is not None and session.refresh:
            session = self._rechecked(session)
            person = self._holder(session)
        if person is None or not person.roles:
            raise _ended()
        if now - session.seen_at >= min(MINUTE, self.cookies.limits.idle // 4):
            session = replace(session, seen_at=now)
        return Present(self._principal(person, session), session, session is not kept)

    def still(self, session: Session) -> Principal | None:
        """The person of a session that was valid when its request came; None once it is over.

        The provider is not asked, so that it renews nothing that no cookie could keep.
        Raises as :meth:`present`.
        """
        if self.cookies.limits.are_passed(session, self._clock.now()):
            return None
        person = self._holder(session)
        return self._principal(person, session) if person is not None and person.roles else None

    def bearer(self, token: str) -> Principal | None:
        """The holder of the provider's access token; None for any other token, or if there is no provider.

        Raises:
            Unavailable: the ledger or the provider does not answer.
        """
        if self._provider is None or token.count(".") != 2:
            return None
        try:
            identity = self._provider.identity(token)
            person = self._roster.person(identity.user)
            claimed = self._claimed(identity)
            if person is None:
                person = self._met(identity)
        except (Refused, Malformed):
            return None
        if (person.issuer, person.subject) != (claimed.issuer, claimed.subject):
            return None
        # Roles as the token states them: another token of the same holder may state others.
        admitted = safeguards.claimed(person, claimed)
        if not person.enabled or not admitted.roles:
            return None
        return self._principal(replace(admitted, enabled=True), None)

    def refresh(self) -> None:
        """Read at once the people and grants that this process changed. Raises as :class:`Roster`."""
        self._roster.refresh()

    def with_purpose(self, session: Session, purpose: str) -> Session:
        """The session with another purpose."""
        return replace(session, purpose=purpose)

    # -- sign-out --------------------------------------------------------------------------------------

    def sign_out(self, session: Session, *, return_to: str) -> str:
        """End every session of the person; return the URL that ends the provider's session, or "".

        Raises as the ledger.
        """
        person = f"user:{session.user}"
        try:
            self._users.end_sessions(session.user, actor=person, reason="sign-out")
        except Conflict:
            self._users.end_sessions(session.user, actor=person, reason="sign-out")
        self._roster.refresh()
        if not session.refresh or self._provider is None:
            return ""
        try:
            self._provider.end(session.refresh)
            return self._provider.sign_out_address(return_to)
        except (Unavailable, Refused):
            return ""

    def change_password(self, session: Session, old: str, new: str, *, address: str) -> Session:
        """Give a local account a new password and end its sessions; return a new session in their place.

        Raises:
            Refused: ``sign_in_failed``, ``sign_in_locked``; ``no_password_here`` if the provider keeps it.
            Malformed: ``weak_password``.
        """
        person = self._users.user(session.user)
        if not person.is_local:
            raise Refused(
                "the password is kept by the OpenID provider",
                code="no_password_here",
                hint="Change it at the OpenID provider.",
            )
        browser = f"session {session.id}"
        self._lockout.check(session.user, address, browser=browser)
        if not self._passwords.proves(session.user, old):
            self._lockout.failed(session.user, address, browser=browser)
            raise Refused("the old password is wrong", code="sign_in_failed", hint="Try again.")
        self._passwords.put(session.user, new)
        after = self._users.end_sessions(
            session.user, actor=f"user:{session.user}", reason="password changed"
        )
        self._roster.refresh()
        return self._begun(after, purpose=session.purpose, refresh="")

    # -- inside ----------------------------------------------------------------------------------------

    def _begun(self, person: User, *, purpose: str, refresh: str) -> Session:
        now = self._clock.now()
        return Session(
            id=secrets.token_urlsafe(12),
            user=person.id,
            epoch=person.epoch,
            begun_at=now,
            seen_at=now,
            checked_at=now,
            purpose=purpose,
            refresh=refresh,
        )

    def _rechecked(self, session: Session) -> Session:
        """Ask the provider whether the session is still valid, unless it confirmed that just now."""
        session = self._newest(session)
        if self._is_checked(session):
            return session
        with self._renewing[hash(session.id) % _STRIPES]:  # of concurrent requests only one asks
            session = self._newest(session)
            if self._is_checked(session):
                return session
            if self._provider is None:
                raise _ended()
            try:
                tokens, identity = self._provider.renew(session.refresh)
                person = self._met(identity)
            except (Refused, Malformed) as error:
                raise _ended() from error
            if person.id != session.user:
                raise _ended()
            self._roster.refresh()
            now = self._clock.now()
            self._renewed[session.id] = _Renewed(now, tokens.refresh or session.refresh)
            while len(self._renewed) > _MAX_RENEWED:
                self._renewed.popitem(last=False)
            return self._newest(session)

    def _newest(self, session: Session) -> Session:
        renewed = self._renewed.get(session.id)
        if renewed is None or renewed.checked_at <= session.checked_at:
            return session
        return replace(session, checked_at=renewed.checked_at, refresh=renewed.refresh)

    def _is_checked(self, session: Session) -> bool:
        return 0 <= self._clock.now() - session.checked_at < self.cookies.limits.recheck

    def _met(self, identity: Identity) -> User:
        """Put the person the provider names into the ledger; return them as they are there now."""
        claimed = self._claimed(identity)
        actor = f"user:{identity.user}"
        try:
            return self._users.seen(claimed, actor=actor)
        except Conflict:  # two processes recorded the same person at the same moment
            return self._users.seen(claimed, actor=actor)

    def _claimed(self, identity: Identity) -> User:
        """The person of a token. Roles that are not ours belong to other systems and are ignored.

        Raises Refused ``roles_exclude``.
        """
        known = {role.value for role in Role}
        roles = tuple(sorted({Role(role) for role in identity.roles if role in known}))
        if self._provider is None:
            raise NotFound("there is no OpenID provider", code="no_such_sign_in")
        return check_compatible(
            User(
                id=identity.user,
                name=identity.name,
                roles=roles,
                districts=tuple(sorted(set(identity.districts))),
                agency=identity.agency,
                issuer=self._provider.settings.issuer,
                subject=identity.subject,
            )
        )

    def _holder(self, session: Session) -> User | None:
        """The person of a session; None if they were signed out or disabled."""
        person = self._roster.person(session.user)
        return None if person is None or not person.enabled or person.epoch != session.epoch else person

    def _principal(self, person: User, session: Session | None) -> Principal:
        return Principal(
            id=f"user:{person.id}",
            roles=frozenset(person.roles),
            districts=frozenset(person.districts),
            agency=person.agency,
            grants=self._roster.grants_of(person.id, person.agency),
            session="" if session is None else session.id,
            purpose="" if session is None else session.purpose,
        )

    def _required(self) -> Provider:
        if self._provider is None:
            raise NotFound(
                "this installation has no OpenID provider",
                code="no_such_sign_in",
                hint="Sign in with a local account, or have an OpenID provider set up.",
            )
        return self._provider


def _ended() -> Refused:
    return Refused("the session is over", code="session_ended", hint="Sign in again.")


def _not_invited() -> Refused:
    return Refused(
        "the invitation is not known, was used, or has expired",
        code="invitation_refused",
        hint="Copy the code whole, or ask an administrator for a new one.",
    )


def _with_role(person: User) -> User:
    """A person with a role in force. Raises Refused ``no_role``."""
    if not in_force(person):
        raise Refused(
            "no role of the account is in force",
            code="no_role",
            hint="Administrator kedua harus menyetujui peran Anda. / A second administrator must consent to"
            " your roles.",
        )
    return person


def _disabled() -> Refused:
    return Refused("the account is closed", code="account_disabled", hint="Ask an administrator.")
