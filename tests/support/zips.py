"""ZIPs written field by field: as the archive writes them, or with any record changed."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

FIELDS = (
    "made", "needed", "flags", "method", "time", "date", "crc", "packed", "size", "disk", "internal",
    "attributes", "offset",
)  # fmt: skip


@dataclass
class Member:
    """One entry; what a record says is what the archive would write, unless ``central`` or ``local`` differ.

    ``content`` are the bytes in the ZIP. ``after`` stands between its content and the next entry.
    """

    name: bytes
    content: bytes
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    after: bytes = b""
    central: dict[str, int] = field(default_factory=dict)
    local: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None

    def values(self, offset: int) -> dict[str, int]:
        """The value of each field, as the archive writes it."""
        size = len(self.content)
        values = dict.fromkeys(FIELDS, 0)
        values |= {"made": 3 << 8 | 20, "needed": 20, "date": 0x21, "crc": zlib.crc32(self.content)}
        return values | {"packed": size, "size": size, "attributes": 0o100444 << 16, "offset": offset}

    def header(self) -> bytes:
        """The local header."""
        of = self.values(0) | self.local
        name = self.name if self.local_name is None else self.local_name
        fixed = struct.pack(
            "<4s5H3I2H", b"PK\3\4", of["needed"], of["flags"], of["method"], of["time"], of["date"],
            of["crc"], of["packed"], of["size"], len(name), len(self.local_extra),
        )  # fmt: skip
        return fixed + name + self.local_extra

    def record(self, offset: int) -> bytes:
        """The record in the directory."""
        of = self.values(offset) | self.central
        fixed = struct.pack(
            "<4s6H3I5H2I", b"PK\1\2", of["made"], of["needed"], of["flags"], of["method"], of["time"],
            of["date"], of["crc"], of["packed"], of["size"], len(self.name), len(self.extra),
            len(self.comment), of["disk"], of["internal"], of["attributes"], of["offset"],
        )  # fmt: skip
        return fixed + self.name + self.extra + self.comment


def of(data: bytes) -> dict[str, bytes]:
    """The contents of a readable ZIP by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def members(parts: dict[str, bytes]) -> list[Member]:
    """The entries of a package as the archive writes them, in the order of their names."""
    return [Member(name.encode(), parts[name]) for name in sorted(parts)]


def write(
    entries: Sequence[Member],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    directory: Sequence[Member] | None = None,
    end: dict[str, int] | None = None,
    zip64: bool = False,
    suffix: bytes = b"",
) -> bytes:
    """The ZIP of these entries; ``directory`` lists others, or in another order, than the file has."""
    body, offsets = bytearray(prefix), dict[int, int]()
    for one in entries:
        offsets[id(one)] = len(body)
        body += one.header() + one.content + one.after
    body += before_directory
    listed = entries if directory is None else directory
    records = b"".join(one.record(offsets.get(id(one), 0)) for one in listed)
    told = {"count": len(listed), "here": len(listed), "size": len(records), "start": len(body)}
    told |= {"disk": 0, "first": 0, "comment": 0, **(end or {})}
    tail = b""
    if zip64:
        count, size, start = told["count"], told["size"], told["start"]
        tail = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 3 << 8 | 45, 45, 0, 0, count, count, size, start)
        tail += struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    tail += struct.pack(
        "<4s4H2IH", b"PK\5\6", told["disk"], told["first"], told["here"], told["count"], told["size"],
        told["start"], told["comment"],
    )  # fmt: skip
    return bytes(body) + records + tail + suffix
