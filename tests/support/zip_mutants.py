"""Mutants of a package's ZIP, changed in structure; the same number gives the same mutant."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support import zips
from tests.support.zips import FIELDS, Member

BASE = "EVD-2026-0123456789/"
PARTS = {
    f"{BASE}{path}": content
    for path, content in {
        "bag-info.txt": b"External-Identifier: EVD-2026-0123456789\n",
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "data/README.txt": b"README" * 9,
        "data/derivative/clip-cam-1.mp4": bytes(range(200)),
        "data/metadata/evidence.json": b"{}",
        "data/original/cam-1/one.mp4": bytes(range(255, 40, -1)),
        "handover/1/right-0123456789abcdef.json": b"",
        "signatures/tagmanifest-sha256.txt.p7s": b"\x30\x80" * 20,
    }.items()
}
_NAMES = (
    "../x", "/x", "C:x", "a\\b", "..\\x", "x.", "x ", "con", "NUL.txt", "a/./b", "a//b", "x/", "", ".",
    "x\0y",
    "x:y", "x?", "x*", "\u00e9", "e\u0301", "BAGIT.TXT", "Data/README.txt", "data",
    "data/README.txt/x", "x\n",
    "README.txt", "data/README.TXT", "aux/x", "COM1", "a" * 256, "a" * 255, "\u202ex", "%2e%2e/x", "~", "-x",
    "$HOME", "x;y", "x&y", "'x'", "x y", "z.z.z", "data/derivative/clip-cam-1.mp4", "@x", "bagit.txt",
)  # fmt: skip


@dataclass
class Draft:
    """A ZIP to be: its entries in the file, its directory if that differs, and what surrounds them."""

    entries: list[Member]
    directory: list[Member] | None = None
    around: dict[str, Any] = field(default_factory=dict)
    flips: int = 0
    done: list[str] = field(default_factory=list)


def mutant(number: int) -> tuple[bytes, list[str]]:
    """The bytes of mutant ``number`` and the names of its changes."""
    random = Random(f"zip {number}")  # noqa: S311
    draft = Draft(zips.members(PARTS))
    for _ in range(random.choice((1, 1, 1, 2, 2, 3))):
        change = random.choice(CHANGES)
        change(random, draft)
        draft.done.append(change.__name__)
    data = bytearray(zips.write(draft.entries, directory=draft.directory, **draft.around))
    for _ in range(draft.flips):
        at = data.find(random.choice((b"PK\1\2", b"PK\3\4", b"PK\5\6")), random.randrange(len(data)))
        at = min(len(data) - 1, max(at, 0) + random.randrange(80))
        data[at] ^= 1 << random.randrange(8)
    return bytes(data), draft.done


def _one(random: Random, draft: Draft) -> Member:
    return random.choice(draft.entries)


def content(random: Random, draft: Draft) -> None:
    """Other content: nothing, noise, or a ZIP of its own."""
    inner = zips.write(zips.members({"evil": b"another film"}))
    choices = (b"", random.randbytes(random.randrange(300)), inner, inner + b"x", b"PK\5\6" + bytes(18))
    _one(random, draft).content = random.choice(choices)


def addition(random: Random, draft: Draft) -> None:
    """One more entry, in its place."""
    _insert(draft, Member(f"{BASE}handover/{random.randrange(9)}/x{random.randrange(99)}".encode(), b"more"))


def removal(random: Random, draft: Draft) -> None:
    """One entry less."""
    draft.entries.remove(_one(random, draft))
    if not draft.entries:
        _insert(draft, Member(f"{BASE}bagit.txt".encode(), b""))


def other_folder(random: Random, draft: Draft) -> None:
    """Another name of the folder that holds everything."""
    new = random.choice(("EVD-2026-9/", "x/", "EVD-2026-0123456789 /", "a/b/", "../", "", "con/", "\u00e9/"))
    for one in draft.entries:
        one.name = one.name.replace(BASE.encode(), new.encode(), 1)


def odd_name(random: Random, draft: Draft) -> None:
    """An entry with a name that some program takes for another."""
    name = (random.choice((BASE, BASE + "data/", BASE + "handover/", "")) + random.choice(_NAMES)).encode()
    odd = Member(name, random.choice((b"", b"another film")))
    if random.random() < 0.3:
        odd.central = odd.local = {"flags": 0x800}
    _insert(draft, odd) if random.random() < 0.8 else draft.entries.append(odd)


def renamed(random: Random, draft: Draft) -> None:
    """An entry whose two records have different names."""
    one = _one(random, draft)
    other = random.choice(sorted(PARTS)).encode()
    if random.random() < 0.5:
        one.local_name = other
    else:
        one.local_name, one.name = one.name, other


def twice(random: Random, draft: Draft) -> None:
    """A name twice, with other content."""
    one = _one(random, draft)
    draft.entries.insert(random.randrange(len(draft.entries) + 1), Member(one.name, b"another film"))


def other_case(random: Random, draft: Draft) -> None:
    """A name twice but for its case."""
    name = _one(random, draft).name
    _insert(draft, Member(random.choice((name.swapcase(), name.upper(), name.title())), b"another film"))


def value(random: Random, draft: Draft) -> None:
    """A field of one record, or of both."""
    one, name = _one(random, draft), random.choice(FIELDS)
    old = one.values(0)[name]
    new = random.choice((0, 1, 8, 20, 45, 63, old ^ 1 << random.randrange(16), old + 1, 0xFFFF))
    if name in ("crc", "packed", "size", "attributes", "offset"):
        new = random.choice((new, 0xFFFFFFFF, 0o120777 << 16, 0o40755 << 16 | 0x10, 0o100444 << 16 | 0x10))
    where = random.randrange(3)
    if where != 1:
        one.central = {**one.central, name: new & (0xFFFFFFFF if name in _WIDE else 0xFFFF)}
    if where != 0:
        one.local = {**one.local, name: new & (0xFFFFFFFF if name in _WIDE else 0xFFFF)}


_WIDE = ("crc", "packed", "size", "attributes", "offset")


def extra(random: Random, draft: Draft) -> None:
    """An extra field in one record, or in both."""
    one, size = _one(random, draft), len(_one(random, draft).content)
    other = random.choice(sorted(PARTS)).encode()
    told = b"\1" + struct.pack("<I", zlib.crc32(one.name)) + other
    made = random.choice(
        (
            struct.pack("<HH", 0x7075, len(told)) + told,
            struct.pack("<HHQQ", 1, 16, size, size),
            struct.pack("<HHQ", 1, 8, random.randrange(9)),
            struct.pack("<HHBI", 0x5455, 5, 3, 0),
            struct.pack("<HHI", 0x756E, 4, 0xA1FF),
            random.randbytes(random.randrange(1, 30)),
        )
    )
    where = random.randrange(3)
    one.extra = made if where != 1 else one.extra
    one.local_extra = made if where != 0 else one.local_extra


def comment(random: Random, draft: Draft) -> None:
    """A comment in the directory."""
    _one(random, draft).comment = random.choice((b"x", b"PK\5\6" + bytes(18), bytes(300)))


def packed(random: Random, draft: Draft) -> None:
    """A compressed entry, true or not."""
    one = _one(random, draft)
    true = {"method": 8, "size": len(one.content), "crc": zlib.crc32(one.content)}
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one.content = packer.compress(one.content + random.choice((b"", b"", b"more"))) + packer.flush()
    one.content += random.choice((b"", b"", b"x"))
    one.central = one.local = {**true, "packed": len(one.content)}


def descriptor(random: Random, draft: Draft) -> None:
    """Sizes that follow the content instead of standing before it."""
    one = _one(random, draft)
    told = one.values(0)
    one.local = {"flags": 8, "crc": 0, "packed": 0, "size": 0}
    one.central = {"flags": 8}
    signature = random.choice((b"PK\7\10", b""))
    one.after = signature + struct.pack("<III", told["crc"], told["packed"], told["size"])


def order(random: Random, draft: Draft) -> None:
    """Entries in another order, in the file or in the directory."""
    if random.random() < 0.5:
        random.shuffle(draft.entries)
    else:
        draft.directory = random.sample(draft.entries, len(draft.entries))


def hidden(random: Random, draft: Draft) -> None:
    """An entry that the directory does not name."""
    draft.directory = list(draft.entries)
    unnamed = Member(random.choice(sorted(PARTS)).encode(), b"another film")
    draft.entries.insert(random.randrange(len(draft.entries) + 1), unnamed)


def shared(random: Random, draft: Draft) -> None:
    """Two names in the directory for one content."""
    draft.directory = list(draft.entries)
    copy = Member(f"{BASE}zz".encode(), _one(random, draft).content)
    copy.central = {"offset": random.randrange(300)}
    draft.directory.append(copy)


def gap(random: Random, draft: Draft) -> None:
    """Bytes that belong to nothing."""
    stray = _stray(random)
    if random.random() < 0.5:
        _one(random, draft).after = stray
    else:
        draft.around["before_directory"] = stray


def before(random: Random, draft: Draft) -> None:
    """Bytes before the first entry."""
    draft.around["prefix"] = _stray(random)


def after(random: Random, draft: Draft) -> None:
    """Bytes after the end."""
    draft.around["suffix"] = _stray(random)


def ending(random: Random, draft: Draft) -> None:
    """An end record that says something else."""
    name = random.choice(("count", "here", "size", "start", "disk", "first", "comment"))
    draft.around["end"] = {name: random.choice((0, 1, 2, 7, 22, 100, 500, 0xFFFF))}


def wide_ending(random: Random, draft: Draft) -> None:
    """A ZIP64 end that nothing needs."""
    draft.around["zip64"] = True


def flip(random: Random, draft: Draft) -> None:
    """Bits of the records."""
    draft.flips = random.randint(1, 3)


def _stray(random: Random) -> bytes:
    whole = zips.write(zips.members({random.choice(sorted(PARTS)): b"another film"}))
    return random.choice((b"\0", b"PK", b"PK\5\6" + bytes(18), whole, random.randbytes(5), bytes(4)))


def _insert(draft: Draft, one: Member) -> None:
    at = sum(other.name < one.name for other in draft.entries)
    draft.entries.insert(at, one)


CHANGES: tuple[Callable[[Random, Draft], None], ...] = (
    content, content, addition, addition, removal, other_folder, odd_name, odd_name, renamed, twice,
    other_case, value, value, extra, extra, comment, packed, descriptor, order, hidden, shared, gap, before,
    after, ending, wide_ending, flip,
)  # fmt: skip
