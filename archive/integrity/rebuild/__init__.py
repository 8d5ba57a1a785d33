"""Rebuild: everything an index holds, from the archive alone (I5; design: durable procedures).

1. Ledger heads become documents. The streams of cameras give each camera's place at each time, those of
   recorders their signing keys, those of holds what is held, those of dispositions what was destroyed.
2. Journal batches whose signature is valid become segments, runs and gaps, in order of upload. A segment is
   indexed only if its object is in the store (it may have been disposed of; the leaf stays), with the version
   that readers must take, the oldest. The rebuild notes its position beside the fresh index, so that a
   rebuild that was killed resumes there.
3. Objects that no batch names, because their recorder died before the next upload, are adopted from the
   leaf in their own metadata.
4. Closed dispositions become gaps of cause ``disposed``.

An object that cannot be read or trusted is left out and named in the report, and the rebuild goes on: one
damaged batch must not keep the rest of the archive from being found.
"""

from archive.integrity.rebuild.job import RebuildTarget, rebuild
from archive.integrity.rebuild.report import LeftOut, Progress, RebuildReport
from archive.integrity.rebuild.rows import SegmentRow

__all__ = ["LeftOut", "Progress", "RebuildReport", "RebuildTarget", "SegmentRow", "rebuild"]
