"""The parts of exports in the cache bucket: their names, and how they go with the footage that they show.

A name says camera and time, so that disposition finds the parts of what it destroys without knowing exports.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from archive.ids import check_name
from archive.ports import ObjectStore
from archive.timespan import MINUTE, SpanSet, Timespan

PREFIX = "exports/"
LEAD = 10 * MINUTE
"""A clip may hold frames from before its time, which its decoder needs: less than two segments of 300 s."""

_KEY = re.compile(
    r"(?P<folder>exports/[0-9a-f]{16}/[^/]+/)part/(?P<camera>[^/]+)/(?P<start>\d{1,16})_(?P<end>\d{1,16})"
    r"_(?P<etag>[0-9a-f]{64})_(?P<sha256>[0-9a-f]{64})_(?P<crc32>[0-9a-f]{8})\.mp4\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartName:
    """What the key of a part says: the clip's camera, time and ETag (without quotes), and its checksums."""

    folder: str
    camera: str
    span: Timespan
    etag: str
    sha256: str
    crc32: int

    @property
    def key(self) -> str:
        """The key in the cache bucket."""
        name = f"{self.span.start}_{self.span.end}_{self.etag}_{self.sha256}_{self.crc32:08x}.mp4"
        return f"{parts_of_camera(self.folder, self.camera)}{name}"

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Read a key; None if it is not that of a part."""
        found = _KEY.match(key)
        if found is None or int(found["start"]) >= int(found["end"]):
            return None
        return cls(
            folder=found["folder"],
            camera=found["camera"],
            span=Timespan(int(found["start"]), int(found["end"])),
            etag=found["etag"],
            sha256=found["sha256"],
            crc32=int(found["crc32"], 16),
        )


def parts_of_camera(folder: str, camera: str) -> str:
    """The prefix of one camera's parts in an export's folder."""
    return f"{folder}part/{check_name('camera', camera)}/"


def forget_parts(cache: ObjectStore, gone: Mapping[str, SpanSet]) -> None:
    """Remove every part that may show any of this footage, by camera; idempotent.

    Disposition calls it after the index has forgotten the footage: a worker that makes a part looks at the
    index again once the part is stored. Raises as the store.
    """
    for one in list(cache.versions(PREFIX)):
        part = PartName.of(one.key)
        if part is None or part.camera not in gone:
            continue
        if gone[part.camera].within(Timespan(part.span.start - LEAD, part.span.end)):
            cache.delete_version(one.key, version=one.version)
