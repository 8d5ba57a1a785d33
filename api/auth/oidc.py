"""OpenID Connect: the one provider of an installation (authorization code with PKCE; JWT access tokens).

The provider is not contacted before somebody signs in. Its description and keys are kept for an hour; an
unknown key is looked up at once, but at most every half minute, so that invented key ids do not load the
provider. Tokens are verified here: signature with pinned algorithms, issuer, audience, expiry, with a few
seconds' tolerance for clocks that differ.
"""

import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from archive.clock import Clock
from archive.errors import Refused, Unavailable
from archive.timespan import HOUR, SECOND

ALGORITHMS = ("RS256", "PS256", "ES256")
MAX_TOKEN = 16_384
_KEEP = HOUR
_LOOK_AGAIN = 30 * SECOND
_MAX_DOCUMENT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Who the provider is and how its claims are read. A claim's name may be a path with dots.

    Access tokens must be for ``audience``; ``client_secret`` is "" for a public client.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = field(default="", repr=False)
    audience: str = "saksi-api"
    user_claim: str = "preferred_username"
    roles_claim: str = "realm_access.roles"
    districts_claim: str = "kecamatan"
    agency_claim: str = "agency"
    skew_s: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an access token claims about its holder. The token is verified, the claims are not checked."""

    subject: str
    user: str
    name: str
    roles: tuple[str, ...]
    districts: tuple[str, ...]
    agency: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that the provider issues for a code or a refresh token."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    id_token: str = field(repr=False)


class Provider:
    """The provider over HTTP. Thread-safe.

    Methods raise Unavailable ``identity_provider_unavailable`` if it does not answer as it should, and
    Refused ``sign_in_refused`` if it refuses, or if its tokens are not valid.
    """

    def __init__(self, settings: OidcSettings, clock: Clock, client: httpx.Client) -> None:
        self.settings = settings
        self._clock = clock
        self._client = client
        self._guard = threading.Lock()
        self._described: tuple[int, Mapping[str, Any]] | None = None
        self._keys: tuple[int, KeySet] | None = None
        self._looked_at: int | None = None

    def sign_in_address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send a browser to sign in."""
        address: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            self.settings.client_id,
            "code",
            redirect_uri=self.settings.redirect_uri,
            scope="openid profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return address

    def sign_out_address(self, return_to: str) -> str:
        """Where to send a browser to end its session at the provider too (RP-initiated logout)."""
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": return_to})
        return f"{self._endpoint('end_session_endpoint')}?{query}"

    def exchange(self, code: str, *, verifier: str, nonce: str) -> tuple[Tokens, Identity]:
        """Tokens for a code, and their holder."""
        tokens = self._tokens(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.settings.redirect_uri,
                "code_verifier": verifier,
            }
        )
        claims = self._claims(tokens.id_token, self.settings.client_id)
        if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
            raise _refused("the provider's answer belongs to another sign-in")
        identity = self.identity(tokens.access)
        if identity.subject != claims["sub"]:
            raise _refused("the provider's answer names two people")
        return tokens, identity

    def renew(self, refresh: str) -> tuple[Tokens, Identity]:
        """Newer tokens; refused if the session at the provider is over or the account is disabled."""
        tokens = self._tokens({"grant_type": "refresh_token", "refresh_token": refresh})
        return tokens, self.identity(tokens.access)

    def end(self, refresh: str) -> None:
        """End the session at the provider without the browser."""
        self._post(self._endpoint("end_session_endpoint"), {"refresh_token": refresh})

    def identity(self, access: str) -> Identity:
        """The holder of an access token."""
        claims = self._claims(access, self.settings.audience)
        name = claims.get("name")
        return Identity(
            subject=claims["sub"],
            user=_text(_at(claims, self.settings.user_claim)),
            name=name if isinstance(name, str) else "",
            roles=_texts(_at(claims, self.settings.roles_claim)),
            districts=_texts(_at(claims, self.settings.districts_claim)),
            agency=_text(_at(claims, self.settings.agency_claim)),
        )

    # -- tokens ----------------------------------------------------------------------------------------

    def _claims(self, token: str, audience: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN:
            raise _refused("the token is too long")
        registry = jwt.JWTClaimsRegistry(
            now=lambda: self._clock.now() // SECOND,
            leeway=self.settings.skew_s,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = self._decoded(token).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"the token is not accepted: {type(error).__name__}") from error
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise _refused("the token names nobody")
        return claims

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(token, self._looked_again(), algorithms=ALGORITHMS)

    def _key_set(self) -> KeySet:
        with self._guard:
            now = self._clock.monotonic()
            if self._keys is None or now - self._keys[0] > _KEEP:
                self._keys = (now, self._fetched_keys())
                self._looked_at = now
            return self._keys[1]

    def _looked_again(self) -> KeySet:
        """The keys, fetched again unless that was done just now: an unknown key may be a new one."""
        self._key_set()
        with self._guard:
            now = self._clock.monotonic()
            if self._looked_at is None or now - self._looked_at >= _LOOK_AGAIN:
                self._looked_at = now
                self._keys = (now, self._fetched_keys())
            if self._keys is None:
                raise _unavailable("no keys")
            return self._keys[1]

    def _fetched_keys(self) -> KeySet:
        value = self._get(self._endpoint("jwks_uri"))
        keys = [
            key
            for key in value.get("keys", ())
            if key.get("kty") in {"RSA", "EC"} and key.get("use", "sig") == "sig" and key.get("kid")
        ]
        try:
            return KeySet.import_key_set({"keys": keys})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _unavailable("its keys cannot be read") from error

    # -- the provider ----------------------------------------------------------------------------------

    def _endpoint(self, name: str) -> str:
        described = self._described
        now = self._clock.monotonic()
        if described is None or now - described[0] > _KEEP:
            issuer = self.settings.issuer
            value = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if value.get("issuer") != issuer:
                raise _unavailable("it describes another issuer")
            described = self._described = (now, value)
        address = described[1].get(name)
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise _unavailable(f"it has no {name}")
        return address

    def _tokens(self, form: dict[str, str]) -> Tokens:
        answer = self._post(self._endpoint("token_endpoint"), form)
        try:
            value = answer.json()
            return Tokens(value["access_token"], value.get("refresh_token", ""), value.get("id_token", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unavailable("its tokens cannot be read") from error

    def _post(self, address: str, form: dict[str, str]) -> httpx.Response:
        settings = self.settings
        auth = (
            httpx.BasicAuth(settings.client_id, settings.client_secret)
            if settings.client_secret
            else httpx.Auth()
        )
        try:
            answer = self._client.post(address, data={**form, "client_id": settings.client_id}, auth=auth)
        except httpx.HTTPError as error:
            raise _unavailable(type(error).__name__) from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _unavailable(f"status {answer.status_code}")
        if answer.status_code >= 300:
            raise _refused("the provider refused")
        return answer

    def _get(self, address: str) -> Mapping[str, Any]:
        try:
            answer = self._client.get(address)
            answer.raise_for_status()
            value = answer.json() if len(answer.content) <= _MAX_DOCUMENT else None
        except (httpx.HTTPError, ValueError) as error:
            raise _unavailable(type(error).__name__) from error
        if not isinstance(value, dict):
            raise _unavailable("its answer cannot be read")
        return value


def _at(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str))


def _refused(sentence: str) -> Refused:
    return Refused(sentence, code="sign_in_refused", hint="Sign in again.")


def _unavailable(why: str) -> Unavailable:
    return Unavailable(
        f"the OpenID provider does not answer as it should: {why}",
        code="identity_provider_unavailable",
        hint="Check that it runs, and the settings that begin with oidc_.",
    )
