"""Telling people: what happened that somebody must hear of, in whose words, and what was told already.

:mod:`~archive.notices.notice` is one thing to tell, :mod:`~archive.notices.watching` finds them in the
ledger, :mod:`~archive.notices.wording` says them in Indonesian and English, :mod:`~archive.notices.memory`
keeps what was told, and :mod:`~archive.notices.courier` tells each at least once. How a message travels is
not known here.
"""
