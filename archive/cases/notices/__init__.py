"""Telling people: what happened that somebody must hear of, in whose words, and what was told already.

:mod:`~archive.cases.notices.notice` is one thing to tell, :mod:`~archive.cases.notices.watching` finds them
in the ledger, :mod:`~archive.cases.notices.wording` says them in Indonesian and English,
:mod:`~archive.cases.notices.memory` keeps what was told, and :mod:`~archive.cases.notices.job` tells each at
least once. How a message travels is not known here.
"""
