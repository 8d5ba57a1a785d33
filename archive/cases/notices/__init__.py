"""Informing people: which events they must learn of, in which words, and what was delivered already.

:mod:`~archive.cases.notices.notice` is one notice, :mod:`~archive.cases.notices.watching` finds notices in
the ledger, :mod:`~archive.cases.notices.running_out` those of footage whose term ends,
:mod:`~archive.cases.notices.wording` writes them in Indonesian and English,
:mod:`~archive.cases.notices.memory` keeps what was delivered, and :mod:`~archive.cases.notices.job` delivers
each at least once. This package does not know how a message travels.
"""
