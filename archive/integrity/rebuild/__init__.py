"""Rebuild: everything an index holds, from the archive alone (I5; design: durable procedures).

1. Ledger heads become documents. Camera histories give each camera's places, recorder histories the keys they
   sign with, holds the held footage, dispositions the destroyed footage. Ledger entries and custody events
   become records (:mod:`archive.integrity.rebuild.filling`).
2. Journal batches with a valid signature become segments, runs and gaps, in order of upload. A segment is
   indexed only if its object is in the store (it may have been disposed of; the leaf stays), with the oldest
   version, which is the one for readers. The rebuild notes its progress beside the fresh index, so that a
   killed rebuild goes on where it stopped.
3. Objects that no batch names, because their recorder died before the next upload, are adopted from the leaf
   in their own metadata.
4. Closed dispositions become gaps of cause ``disposed``.

Objects that cannot be read or trusted are left out and named in the report, and the rebuild goes on: one
damaged batch must not keep the rest of the archive from being found.
"""

from archive.integrity.rebuild.job import RebuildTarget, rebuild
from archive.integrity.rebuild.report import LeftOut, Progress, RebuildReport
from archive.integrity.rebuild.rows import RecordRow, SegmentRow, body_text

__all__ = [
    "LeftOut",
    "Progress",
    "RebuildReport",
    "RebuildTarget",
    "RecordRow",
    "SegmentRow",
    "body_text",
    "rebuild",
]
