"""Answers to a camera's challenge: Basic and Digest authentication (RFC 7616), as in FFmpeg."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence

from recorder.sources import Source

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


def proof(source: Source, challenges: Sequence[str], *, method: str, uri: str) -> str | None:
    """The Authorization value for the best challenge that we support; None if we support none."""
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "digest":
            continue
        fields = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        if fields.get("algorithm", "MD5").upper() in _HASHES:
            return _digest(source, fields, method, uri)
    if any(challenge.lower().startswith("basic") for challenge in challenges):
        return "Basic " + base64.b64encode(f"{source.user}:{source.password}".encode()).decode("ascii")
    return None


def address_of(source: Source) -> str:
    """The address of a source as requests name it, without its account."""
    host = f"[{source.host}]" if ":" in source.host else source.host
    return f"{source.scheme}://{host}:{source.port}{source.target}"


def _digest(source: Source, fields: dict[str, str], method: str, uri: str) -> str:
    algorithm = fields.get("algorithm", "MD5").upper()
    digest = _HASHES[algorithm]
    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    first = digest(f"{source.user}:{realm}:{source.password}".encode())
    second = digest(f"{method}:{uri}".encode())
    parts = [f'username="{source.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in [one.strip() for one in fields.get("qop", "").split(",")]:
        cnonce = secrets.token_hex(8)
        response = digest(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}".encode())
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        response = digest(f"{first}:{nonce}:{second}".encode())
    parts += [f'response="{response}"', f"algorithm={algorithm}"]
    if "opaque" in fields:
        parts.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join(parts)
