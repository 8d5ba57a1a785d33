"""Notices of exports that are ready to be fetched, or that came to nothing.

They follow from the newest state of each export in the cache, so a worker that died delays them at most. An
export is gone after a day, and its notice with it.
"""

from archive.cases.exports.model import Export, ExportStatus
from archive.cases.notices.notice import DOWNLOADS_PAGE, Event, Notice

_EVENTS = {
    ExportStatus.READY: Event.EXPORT_READY,
    ExportStatus.FAILED: Event.EXPORT_FAILED,
    ExportStatus.OUTDATED: Event.EXPORT_FAILED,
}


def of_export(export: Export) -> Notice | None:
    """The notice of an export's present state; None while it is made, and after it was cancelled."""
    order, state = export.order, export.state
    event = _EVENTS.get(state.status)
    if event is None:
        return None
    return Notice(
        event=event,
        subject=order.id,
        mark=state.status.value,
        at=state.at,
        urgent=False,
        link=DOWNLOADS_PAGE,
        cameras=len(order.cameras),
        due_at=state.until if event is Event.EXPORT_READY else None,
        code=state.code,
    )
