"""Versions of segment objects, by listing the hour folders of cameras."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from archive import keys
from archive.ports import ObjectStore, ObjectVersion

_KEPT = 400_000
"""How many listed objects are kept: journals are in order of time, so each folder is listed about once."""


class HourFolders:
    """Keeps the newest listings."""

    def __init__(self, footage: ObjectStore) -> None:
        self._footage = footage
        self._kept: OrderedDict[tuple[str, int], Mapping[str, str]] = OrderedDict()
        self._objects = 0

    def versions(self, camera: str, hour: int) -> Mapping[str, str]:
        """Version ids by key, of the objects in one hour folder."""
        folder = (camera, hour)
        listed = self._kept.get(folder)
        if listed is not None:
            self._kept.move_to_end(folder)
            return listed
        found = self._footage.list(keys.segment_prefix(camera, hour))
        listed = {version.key: version.version for version in found}
        self._kept[folder] = listed
        self._objects += len(listed)
        while self._objects > _KEPT and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._objects -= len(dropped)
        return listed


def by_hour(footage: ObjectStore, camera: str) -> Iterator[tuple[str, list[ObjectVersion]]]:
    """The camera's objects, one hour folder after another; the folder's name without the last slash."""
    folder, found = "", list[ObjectVersion]()
    for listed in footage.list(keys.segment_prefix(camera)):
        name = listed.key.rpartition("/")[0]
        if name != folder and found:
            yield folder, found
            found = []
        folder = name
        found.append(listed)
    if found:
        yield folder, found
