"""``archive check``: hold the invariants against everything that is stored.

It reads the buckets, the ledger, the journals and the index, changes nothing, and names every breach: I1
(segments and index agree), I2 (journals and runs have no holes), I3 (everything is under a checkpoint in
time), I4 (locks and holds are those of the ledger), I6 (each instant is explained once), I7 (packages are
whole), I9 (one version a key), and the chains of ledger and custody.

Objects and index are walked side by side in key order, which is time order, and chains in order of upload, so
that memory does not grow with the footage; what grows is a few numbers for each run, recorder and writer.
"""

from archive.integrity.check.job import Checker
from archive.integrity.check.report import Breach, CheckReport, Depth, Progress
from archive.integrity.check.segments import ADOPTION_AGE

__all__ = ["ADOPTION_AGE", "Breach", "CheckReport", "Checker", "Depth", "Progress"]
