"""Several cameras in one request: all of them, or a refusal that names those that stand in the way.

A download that left out a camera would look like one without footage of it.
"""

from collections.abc import Iterable, Sequence

from api.auth.access import Access
from api.clips import Clips, Seen
from archive.errors import NotFound, Refused
from archive.timespan import Timespan

_NAMED = 20


def check_all(access: Access, cameras: Iterable[str], span: Timespan) -> None:
    """Check that the principal may have all footage of these cameras in a span.

    Raises:
        NotFound: ``camera_not_found``, with all that do not exist, or that the principal may not know of.
        Refused: as :meth:`Access.footage`, with all that are refused.
    """
    unknown: list[str] = []
    refused: list[tuple[str, Refused]] = []
    for camera in cameras:
        try:
            access.footage(camera, span)
        except NotFound:
            unknown.append(camera)
        except Refused as error:
            refused.append((camera, error))
    if unknown:
        raise _no_cameras(unknown)
    if refused:
        names, first = _named([camera for camera, _ in refused]), refused[0][1]
        raise Refused(f"{first.message}: {names}", code=first.code, hint=first.hint)


def seen_all(clips: Clips, cameras: Iterable[str], span: Timespan) -> list[Seen]:
    """What there is of each camera in a span.

    Raises:
        NotFound: ``camera_not_found``, with all that do not exist.
        Malformed, Unavailable: as :meth:`Clips.seen`.
    """
    found: list[Seen] = []
    unknown: list[str] = []
    for camera in cameras:
        try:
            found.append(clips.seen(camera, span))
        except NotFound:
            unknown.append(camera)
    if unknown:
        raise _no_cameras(unknown)
    return found


def _no_cameras(names: Sequence[str]) -> NotFound:
    return NotFound(f"there is no camera {_named(names)}", code="camera_not_found")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
