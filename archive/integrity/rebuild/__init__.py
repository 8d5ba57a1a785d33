"""Rebuild: everything an index holds, from the archive alone (I5; design: durable procedures).

1. Ledger heads become documents. Camera histories say where each camera stood when, recorders' which keys
   they sign with, holds what is held, dispositions what was destroyed.
2. Journal batches whose signature holds become segments, runs and gaps, in order of upload. A segment is
   indexed only where its object is in the store (it may have been disposed of; the leaf stays), with the
   version that readers are to take, the oldest. What is read is noted beside the fresh index, so that a
   rebuild that was killed goes on where it was.
3. Objects that no batch names, because their recorder died before the next upload, are adopted from the
   leaf in their own metadata.
4. Dispositions that are closed become gaps of cause ``disposed``.

What cannot be read or trusted is left out, named in the report, and stops nothing: one damaged batch must not
keep the rest of the archive from being found.
"""

from archive.integrity.rebuild.job import RebuildTarget, rebuild
from archive.integrity.rebuild.report import LeftOut, Progress, RebuildReport
from archive.integrity.rebuild.rows import SegmentRow

__all__ = ["LeftOut", "Progress", "RebuildReport", "RebuildTarget", "SegmentRow", "rebuild"]
