"""The one-page guides on paper: served to readers with a session, under the hash of them all.

``make guides`` prints them into the folder ``guides``. They name no person and no camera of the installation;
still they are for those who use it, so they are no assets, which everybody may read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.auth.principal import Principal
from api.web.files import FOLDER
from archive.errors import NotFound
from archive.model.user import Role

PRINTED = FOLDER / "guides"
GUIDES_PATH = "/panduan"
_HASH = 16


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide: its name, and whose it is."""

    name: str
    roles: frozenset[Role]

    @property
    def file_name(self) -> str:
        """The name of its PDF."""
        return f"panduan-{self.name}.pdf"


GUIDES = (
    Guide("petugas", frozenset({Role.POLICE, Role.SATPOL_PP})),
    Guide("operator", frozenset({Role.WAR_ROOM, Role.KECAMATAN})),
    Guide("admin", frozenset({Role.ADMIN})),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A guide as the help page shows it: ``is_own`` if it is for a role of the reader."""

    name: str
    path: str
    kilobytes: int
    is_own: bool


class PrintedGuides:
    """The guides of one process, read when it starts."""

    def __init__(self) -> None:
        contents = {one.file_name: (PRINTED / one.file_name).read_bytes() for one in GUIDES}
        self._contents: Mapping[str, bytes] = MappingProxyType(contents)
        sha256 = hashlib.sha256()
        for name, content in sorted(contents.items()):
            sha256.update(f"{name} {len(content)}\n".encode())
            sha256.update(content)
        self.version = sha256.hexdigest()[:_HASH]

    def offered_to(self, reader: Principal) -> tuple[Offered, ...]:
        """All guides, those of the reader's roles first."""
        found = [
            Offered(
                name=one.name,
                path=f"{GUIDES_PATH}/{self.version}/{one.file_name}",
                kilobytes=round(len(self._contents[one.file_name]) / 1000),
                is_own=bool(one.roles & reader.roles),
            )
            for one in GUIDES
        ]
        return tuple(sorted(found, key=lambda one: not one.is_own))

    def find(self, version: str, name: str) -> bytes:
        """The PDF of a guide.

        Raises:
            NotFound: ``no_such_file``: there is no such guide, or it is one of another version.
        """
        if version == self.version and name in self._contents:
            return self._contents[name]
        raise NotFound("there is no such guide", code="no_such_file", hint="Open it from the help page.")
