"""``archive check``: compares everything that is stored with the invariants.

It reads the buckets, the ledger, the journals and the index, changes nothing, and names every breach: I1
(segments and index agree), I2 (journals and runs have no holes), I3 (everything is under a checkpoint in
time), I4 (locks and holds are those of the ledger), I5 (the index has the acts of custody and ledger, and no
others), I6 (each instant has exactly one explanation), I7 (packages are whole), I9 (one version a key), and
the chains of ledger and custody.

The check walks objects and index side by side in key order, which is time order, and chains in order of
upload, so memory does not grow with the footage. Only a few numbers for each run, recorder and writer grow.
"""

from archive.integrity.check.job import Checker
from archive.integrity.check.report import Breach, CheckReport, Depth, Progress
from archive.integrity.check.segments import ADOPTION_AGE

__all__ = ["ADOPTION_AGE", "Breach", "CheckReport", "Checker", "Depth", "Progress"]
