"""What holds in force keep, as the index's documents have it."""

from collections import defaultdict
from collections.abc import Mapping

from archive.model.hold import KIND, from_state
from archive.timespan import SpanSet, Timespan
from search.index import Index


def held_spans(index: Index, window: Timespan) -> Mapping[str, SpanSet]:
    """The parts of the window that holds in force cover, by camera; nothing about their cases."""
    found: dict[str, list[Timespan]] = defaultdict(list)
    for document in index.documents(KIND):
        hold = from_state(document.id, document.state)
        part = hold.span.intersection(window)
        if not hold.in_force or part is None:
            continue
        for camera in hold.cameras:
            found[camera].append(part)
    return {camera: SpanSet(spans) for camera, spans in found.items()}
