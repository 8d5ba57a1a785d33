"""What was made of footage goes with it: packed headers, thumbnails, activity, exports in the cache."""

from collections import defaultdict
from collections.abc import Iterable

from archive.footage.clip import packs
from archive.footage.download.export_parts import forget_parts
from archive.footage.skim.cache import forget
from archive.lifecycle.disposition.listing import Doomed
from archive.ports import ObjectStore
from archive.timespan import SpanSet, Timespan


def forget_copies(cache: ObjectStore, gone: Iterable[Doomed]) -> None:
    """Remove what was made of destroyed segments, which the index has forgotten already; idempotent.

    The order matters: a process that packs headers, skims or exports looks at the index again after it stored
    a copy.
    """
    found: dict[str, list[Timespan]] = defaultdict(list)
    doomed = list(gone)
    packs.forget(cache, [one.ref for one in doomed])
    for one in doomed:
        found[one.camera].append(one.span)
    spans = {camera: SpanSet(parts) for camera, parts in found.items()}
    for camera, parts in spans.items():
        for span in parts:
            forget(cache, camera, span)
    if spans:
        forget_parts(cache, spans)
