"""Wires the sign-in of people: ledger streams, and passwords and cookie keys beside the other keys."""

from pathlib import Path

import httpx

from api.auth.account_administration import AccountAdministration
from api.auth.invitations import Invitations
from api.auth.lockout import Lockout
from api.auth.machines import Machines
from api.auth.oidc import OidcSettings, Provider
from api.auth.passwords import Passwords
from api.auth.people import People
from api.auth.sessions import CookieBox, Limits
from archive.cases.people.grants import Grants
from archive.cases.people.roster import Roster
from archive.cases.people.users import Users
from archive.model.user import User
from archive.timespan import HOUR, MINUTE, SECOND
from ops.secret_box import load_or_make_key
from ops.settings import Settings
from ops.wiring import Site

COOKIE_KEYS = "cookies.key"
PASSWORDS = "passwords.json"
INVITATIONS = "invitations.json"
LOCKOUT = "failed-sign-ins"
CLIENT_SECRET_FILE = "oidc-client.secret"  # noqa: S105
PROVIDER_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


def users_of(site: Site) -> Users:
    """The people of this installation."""
    passwords = passwords_of(site)

    def can_sign_in(user: User) -> bool:
        return not user.is_local or passwords.has(user.id)

    return Users(site.ledger, site.clock, can_sign_in)


def grants_of(site: Site) -> Grants:
    """The grants of this installation."""
    return Grants(site.ledger, site.clock)


def passwords_of(site: Site) -> Passwords:
    """The local passwords of this installation."""
    return Passwords(site.settings.keys_dir / PASSWORDS, site.clock)


def invitations_of(site: Site) -> Invitations:
    """The open invitations of this installation."""
    return Invitations(site.settings.keys_dir / INVITATIONS, site.clock)


def roster_of(site: Site) -> Roster:
    """People and grants, as one process caches them."""
    return Roster(site.ledger, site.stores.records, site.clock, max_age=site.settings.roster_seconds * SECOND)


def administration_of(site: Site, machines: Machines, people: People | None = None) -> AccountAdministration:
    """Account administration; ``people`` is the sign-in of the same process."""
    return AccountAdministration(
        users=users_of(site),
        passwords=passwords_of(site),
        invitations=invitations_of(site),
        machines=machines,
        people=people,
    )


def people_of(site: Site, roster: Roster) -> People:
    """Sign-in as the settings describe it; it does not contact the OpenID provider yet.

    Raises:
        Unavailable: ``keys_unwritable``. Malformed: ``bad_key_file``.
    """
    settings = site.settings
    limits = Limits(
        idle=settings.session_idle_minutes * MINUTE,
        absolute=settings.session_hours * HOUR,
        recheck=settings.session_check_seconds * SECOND,
    )
    return People(
        users=users_of(site),
        roster=roster,
        passwords=passwords_of(site),
        cookies=CookieBox(cookie_keys(settings.keys_dir), site.clock, limits),
        clock=site.clock,
        provider=_provider(site),
        invitations=invitations_of(site),
        lockout=Lockout(site.clock, site.settings.home / LOCKOUT),
    )


def public_url(settings: Settings) -> str:
    """The address at which browsers reach this installation."""
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def cookie_keys(folder: Path) -> list[bytes]:
    """The cookie keys, one per line, the newest first; the file is made when first needed, mode 0600.

    To change the key, add a new line before the old one, and remove the old line a day later.

    Raises:
        Unavailable: ``keys_unwritable``.
    """
    held = load_or_make_key(folder / COOKIE_KEYS)
    return [line for line in held.splitlines() if line.strip()]


def _provider(site: Site) -> Provider | None:
    settings = site.settings
    if not settings.oidc_issuer:
        return None
    secret = settings.keys_dir / CLIENT_SECRET_FILE
    # The environment's proxies are for outside addresses; the provider is the city's own.
    client = httpx.Client(timeout=PROVIDER_TIMEOUT, trust_env=False)
    site.closing(client.close)
    return Provider(
        OidcSettings(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=secret.read_text("utf-8").strip() if secret.exists() else "",
            redirect_uri=f"{public_url(settings)}/auth/callback",
            audience=settings.oidc_audience,
            user_claim=settings.oidc_user_claim,
            roles_claim=settings.oidc_roles_claim,
            districts_claim=settings.oidc_districts_claim,
            agency_claim=settings.oidc_agency_claim,
        ),
        site.clock,
        client,
    )
