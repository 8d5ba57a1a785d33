"""Handing sealed packages over: who may fetch one, how often, until when, and what they confirmed.

:mod:`~archive.handover.giving` hands over and :mod:`~archive.handover.closing` ends it,
:mod:`~archive.handover.fetching` counts downloads, :mod:`~archive.handover.requests` is the request as a
handover sees and changes it, :mod:`~archive.handover.reading` and :mod:`~archive.handover.papers` keep the
papers, and :mod:`~archive.handover.facts` is what goes on the handover report (berita acara serah terima).
"""
