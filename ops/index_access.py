"""Opens the index that the settings name, with the certificates and the key they name."""

import stat
from pathlib import Path

from archive.errors import Malformed, Refused, Unavailable
from ops.settings import Settings
from search.index import Index
from search.locations import open_index


def opened_index(settings: Settings) -> Index:
    """The index of the settings.

    Raises:
        Refused, Malformed, Unavailable: the file with the API key, as :func:`api_key_of`.
        ArchiveError: as :func:`search.locations.open_index`.
    """
    return open_index(
        settings.index_url,
        prefix=settings.index_prefix,
        ca_file=settings.index_ca_file,
        api_key=api_key_of(settings.index_api_key_file),
    )


def api_key_of(path: Path | None) -> str:
    """The key in a file; "" without a file. One newline at its end is not part of it.

    Raises:
        Refused: ``index_key_exposed``: other users may read it.
        Malformed: ``bad_index_access``: it is empty, or is no key.
        Unavailable: ``index_key_unreadable``.
    """
    if path is None:
        return ""
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise Refused(f"{path} is readable by others", code="index_key_exposed", hint=f"chmod 400 {path}")
        key = path.read_text("ascii").strip()
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}",
            code="index_key_unreadable",
            hint="Check SAKSI_INDEX_API_KEY_FILE, and the owner of the file.",
        ) from error
    except UnicodeDecodeError as error:
        raise _no_key(path) from error
    if not key or not key.isprintable() or " " in key:
        raise _no_key(path)
    return key


def _no_key(path: Path) -> Malformed:
    return Malformed(
        f"{path} holds no API key",
        code="bad_index_access",
        hint="Write the encoded key into it, as Elasticsearch prints it when the key is made.",
    )
