"""Metrics for Prometheus, in the registry that the caller passes. No label ever names a person or a token."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods used as labels; unauthenticated clients may invent others, which are counted as ``other``."""


class Metrics:
    """The API's metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "saksi_http_requests_total",
            "Answers by route and status.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.first_byte = Histogram(
            "saksi_http_first_byte_seconds",
            "From the request to the first byte of the answer.",
            ("route",),
            registry=registry,
            buckets=_SECONDS,
        )
        self.footage_bytes = Counter(
            "saksi_footage_sent_bytes_total",
            "Bytes of footage and packages sent to clients.",
            ("action",),
            registry=registry,
        )
        self.streams = Gauge("saksi_footage_streams", "Streams of footage being sent.", registry=registry)
        self.sign_in_refused = Counter(
            "saksi_sign_in_refused_total", "Requests without a known token.", registry=registry
        )
        self.rate_limited = Counter(
            "saksi_rate_limited_total",
            "Requests refused by a rate limit, by limit.",
            ("limit",),
            registry=registry,
        )
        self.custody_waiting = Gauge(
            "saksi_custody_events_waiting",
            "Custody events of finished operations that are not stored yet.",
            registry=registry,
        )


class MetricsMiddleware:
    """Counts and times every request by the route's template, so that ids do not become labels."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_metered(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.first_byte.labels(route).observe(time.perf_counter() - began)
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(route, method, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, send_metered)
