"""The canary: whether the store really refuses what the archive relies on it to refuse.

At install and every day each process puts small objects of its own into the footage and the records bucket,
locked and held as footage is, and attacks them with its own credentials. It deletes them, shortens, clears
and hardens their locks with and without the header that bypasses GOVERNANCE, puts others over them, and
deletes them under a hold. The verdict depends on what is left of the object, not on the store's answer: some
stores accept locks and delete all the same, some say yes and do nothing.

An attack that broke a promise is an integrity incident with a code ``canary_…``; while one is open the
archive is red. It closes as every incident does: by a person, with a reason.
"""

from archive.integrity.canary.findings import AttackOutcome, AttackResult, Report
from archive.integrity.canary.job import Canary
from archive.integrity.canary.watch import Watch, open_codes

__all__ = ["AttackOutcome", "AttackResult", "Canary", "Report", "Watch", "open_codes"]
