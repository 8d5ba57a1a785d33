"""The secrets of channels: one small file each, beside the keys, readable only by the owner."""

import stat
from pathlib import Path

from archive.errors import Malformed, NotFound

FOLDER = "notices"
MAX_BYTES = 4096


def read_secret(keys_dir: Path, name: str) -> bytes:
    """The content of ``<keys_dir>/notices/<name>`` without its line end. No error quotes the secret.

    Raises:
        NotFound: ``notice_secret_missing``.
        Malformed: ``bad_notice_secret``: other users may read it, or it is empty or too long.
    """
    path = keys_dir / FOLDER / name
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{FOLDER}/{name} cannot be read: {error.strerror}",
            code="notice_secret_missing",
            hint="Put the secret into that file of the keys folder, mode 0600; see docs/guide/notices.md.",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Malformed(
            f"{FOLDER}/{name} may be read by others", code="bad_notice_secret", hint="chmod 600 it."
        )
    secret = content.rstrip(b"\r\n")
    if not secret or len(content) > MAX_BYTES:
        raise Malformed(f"{FOLDER}/{name} holds no secret", code="bad_notice_secret")
    return secret
