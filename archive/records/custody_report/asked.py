"""A query to the custody record: acts on an item, by a person, by a person on an item, or all of a span."""

from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.persons import same_person
from archive.records.custody_report.items import Item
from archive.records.indexed.events import SIGN_IN
from archive.records.indexed.line import Line
from archive.timespan import HOUR, Timespan, format_instant

CLOCK_SLACK = HOUR
"""How far the store's clock may be behind this machine's."""


TAKEN_OUT = frozenset(
    {
        "clip.download",
        "export.download",
        "camera.export",
        "attachment.download",
        "evidence.download",
        "handover.give",
        "handover.begin_download",
        "request.handed_over",
    }
)
"""Acts by which footage, a package, a paper or a table left the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query: acts on ``item`` (None: any), by ``person`` ("": anyone), within ``span``.

    ``taken_out`` leaves only acts of :data:`TAKEN_OUT`, refused and failed ones too.
    """

    span: Timespan
    item: Item | None = None
    person: str = ""
    taken_out: bool = False


def asked_details(asked: Asked) -> JsonObject:
    """The query as the custody event of its reader holds it; item and person are the event's objects."""
    details = {"acts_from": format_instant(asked.span.start), "acts_to": format_instant(asked.span.end)}
    if asked.item is not None and asked.item.camera and asked.item.footage is not None:
        details["footage_from"] = format_instant(asked.item.footage.start)
        details["footage_to"] = format_instant(asked.item.footage.end)
    if asked.taken_out:
        details["only"] = "taken_out"
    return details


def is_wanted(asked: Asked, act: str) -> bool:
    """Whether the query wants acts of this type at all."""
    return not asked.taken_out or act.removesuffix(".started").removesuffix(".ended") in TAKEN_OUT


def belongs(asked: Asked, event: Line) -> bool:
    """Whether a custody event answers the query; its time is not looked at."""
    if not is_wanted(asked, event.type):
        return False
    if asked.person and not same_person(event.actor.id, asked.person) and not _was_tried(asked, event):
        return False
    return asked.item is None or asked.item.concerns(event.objects, event.details)


def _was_tried(asked: Asked, event: Line) -> bool:
    """Whether strangers tried to sign in to the person's account; it is on record under that account."""
    return event.type == SIGN_IN and asked.item is None and asked.person in event.objects
