"""Header fields of requests and answers, for the API description."""

from collections.abc import Mapping
from typing import Any

from api.idempotency import MAX_KEY

_TEXT = {"type": "string"}

HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": {
        "required": True,
        "description": "The version, for If-Match; a read's also identifies its bytes, for If-None-Match.",
        "schema": _TEXT,
        "example": '"3-0a1b2c3d4e5f6071"',
    },
    "Location": {
        "required": True,
        "description": "Where the new object can be read.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/v1/cameras/cam-1",
    },
    "Retry-After": {
        "required": True,
        "description": "Seconds to wait before the next attempt.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "5",
    },
    "RateLimit": {
        "description": "How many requests of this kind remain, and for how many seconds.",
        "schema": _TEXT,
        "example": '"read";r=0;t=5',
    },
    "RateLimit-Policy": {
        "description": "How many requests of this kind are allowed in how many seconds.",
        "schema": _TEXT,
        "example": '"read";q=120;w=60',
    },
    "WWW-Authenticate": {
        "required": True,
        "description": "How to authenticate (RFC 6750).",
        "schema": _TEXT,
        "example": 'Bearer realm="saksi"',
    },
    "Allow": {
        "required": True,
        "description": "The methods that the path supports.",
        "schema": _TEXT,
        "example": "GET, HEAD",
    },
    "Accept-Ranges": {
        "required": True,
        "description": "The unit in which parts can be requested.",
        "schema": _TEXT,
        "example": "bytes",
    },
    "Content-Range": {
        "required": True,
        "description": "Which part this is, and the whole size; for a range beyond the end only the size.",
        "schema": _TEXT,
        "example": "bytes 0-1048575/31457280",
    },
    "Idempotency-Replayed": {
        "description": "This is the answer to an earlier request with the same key; nothing was done again.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
}
"""Header fields of answers."""

KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A new key for each change; a request repeated with its key changes nothing twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
    "example": "0b9f6c1e-7f0e-4c62-9a55-4c8f0f7b1d2e",
}

NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags that the reader has; 304 if the current one is among them.",
    "schema": _TEXT,
    "example": '"3-0a1b2c3d4e5f6071"',
}

OF_PARTS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Range",
        "in": "header",
        "required": False,
        "description": "One range of bytes (RFC 9110, 14); any other value is answered with all bytes.",
        "schema": _TEXT,
        "example": "bytes=0-1048575",
    },
    {
        "name": "If-Range",
        "in": "header",
        "required": False,
        "description": "The ETag of the earlier part; if it has changed, all bytes are sent.",
        "schema": _TEXT,
        "example": '"9f86d081884c7d65"',
    },
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the wanted bytes; 412 if it has changed.",
        "schema": _TEXT,
        "example": '"9f86d081884c7d65"',
    },
    NONE_MATCH,
)
"""Conditions and ranges, for routes whose bytes can be requested in part."""
