"""Finds the cameras that have footage in the store, with one listing per camera."""

from collections.abc import Iterator

from archive.ports import ObjectStore


def stored_cameras(footage: ObjectStore) -> Iterator[str]:
    """Cameras that have a folder in the footage bucket, by id. Raises as the store."""
    after = ""
    while (first := next(footage.list("segments/", start_after=after), None)) is not None:
        camera = first.key.split("/")[1]
        yield camera
        after = f"segments/{camera}/~"  # "~" sorts after every character that a key may have
