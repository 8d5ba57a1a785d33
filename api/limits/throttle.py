"""Two rate limits: by address before authentication, by principal after it.

The limits on wrong tokens and sign-ins of an address refuse only further wrong tokens and sign-ins, never an
authenticated request: other people may share the address.
"""

from collections.abc import Mapping
from typing import Self

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.auth.principal import Principal
from api.limits.buckets import Buckets, Rate, TakingTokens
from api.limits.peers import network_of
from api.limits.rates import Kind, Rates, is_sign_in, kind_of
from api.limits.refusals import CODE, Refusals
from archive.clock import Clock
from archive.errors import Unavailable


class Throttle:
    """The buckets by kind of request, and the record of refusals."""

    def __init__(self, buckets: Mapping[Kind, TakingTokens], refusals: Refusals) -> None:
        self.buckets = buckets
        self.refusals = refusals

    @classmethod
    def of_process(cls, rates: Rates, clock: Clock, refusals: Refusals) -> Self:
        """The throttle of one process alone."""
        return cls({kind: Buckets(rates.of(kind), clock) for kind in Kind}, refusals)

    def of_address(self, address: str, kind: Kind) -> Response | None:
        """The refusal of an address that exceeded its rate, or whose rate is not known; else None."""
        try:
            wait = self.buckets[kind].take(network_of(address))
        except Unavailable as error:
            return problems.of_archive_error(error)
        if not wait:
            return None
        self.refusals.of_address(address, kind)
        return _too_often(kind, self.buckets[kind].rate, wait)

    def of_principal(self, principal: Principal, address: str, kind: Kind) -> Response | None:
        """As :meth:`of_address`, for a principal."""
        try:
            wait = self.buckets[kind].take(principal.id)
        except Unavailable as error:
            return problems.of_archive_error(error)
        if not wait:
            return None
        self.refusals.of_principal(principal, address, kind)
        return _too_often(kind, self.buckets[kind].rate, wait)


class AddressThrottle:
    """Runs before authentication. Answers 429, also in place of 401 to an address with too many of those."""

    def __init__(self, app: ASGIApp, *, throttle: Throttle) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = _address(scope)
        refused = self._throttle.of_address(address, Kind.ADDRESS)
        if refused is None and is_sign_in(_path(scope)):
            refused = self._throttle.of_address(address, Kind.SIGN_IN)
        if refused is not None:
            await refused(scope, receive, send)
            return
        replaced = False

        async def send_counted(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 401:
                instead = self._throttle.of_address(address, Kind.STRANGER)
                if instead is not None:
                    replaced = True
                    await instead(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, send_counted)


class PrincipalThrottle:
    """Runs after authentication, before anything is read or done."""

    def __init__(self, app: ASGIApp, *, throttle: Throttle) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        principal: Principal | None = scope.get("saksi.principal")
        if scope["type"] == "http" and principal is not None:
            kind = kind_of(scope["method"], _path(scope))
            refused = self._throttle.of_principal(principal, _address(scope), kind)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _too_often(kind: Kind, rate: Rate, wait: int) -> Response:
    """429 with the fields of draft-ietf-httpapi-ratelimit-headers beside ``Retry-After``."""
    return problems.problem(
        429,
        CODE,
        "Too many requests of this kind came in too short a time.",
        hint=f"Try again in {wait} s, and more slowly: {rate.per_minute} a minute, {rate.burst} at once.",
        headers={
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{kind.value}";q={rate.burst};w={rate.window_s}',
            "RateLimit": f'"{kind.value}";r=0;t={wait}',
        },
    )


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
