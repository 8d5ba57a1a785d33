"""A camera's second, smaller stream, for walls that show many cameras live. It is never recorded.

What is evidence comes from the main stream alone: no segment, clip, export or package can come from this
one, since the archive holds none of it. It belongs to its camera, and so do the rights to know of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from archive.canonical import JsonObject
from archive.errors import Malformed

NO_SUB = "none"
"""The word in a form that takes a camera's sub stream away; a blank one leaves it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubStream:
    """``source`` is the URL that may be shown, ``sealed_source`` the whole one, encrypted, as a camera's."""

    source: str
    sealed_source: str


def to_state(sub: SubStream | None) -> JsonObject:
    """The members of a camera's ledger state; none without a sub stream, as before there were any."""
    return {} if sub is None else {"sub": sub.source, "sealed_sub": sub.sealed_source}


def from_state(state: Mapping[str, Any]) -> SubStream | None:
    """Read the members of a ledger state, or of the index's, which has no sealed one."""
    if "sub" not in state:
        return None
    return SubStream(source=str(state["sub"]), sealed_source=str(state.get("sealed_sub", "")))


def check_sub(sub: SubStream, main: str) -> SubStream:
    """Let a sub stream pass that is on the host of its camera's main stream.

    ``main`` is that one's URL as it may be shown. On another host it could be another camera.

    Raises:
        Malformed: ``bad_sub``.
    """
    if urlsplit(sub.source).hostname != urlsplit(main).hostname:
        raise Malformed(
            "the sub stream is not on the host of the camera's main stream",
            code="bad_sub",
            hint="Write both with the same host; if the camera has another address now, give both, or none.",
        )
    return sub
