"""Handing sealed packages over: who may fetch one, how often, until when, and what they confirmed.

:mod:`~archive.cases.handover.giving` hands over, :mod:`~archive.cases.handover.closing` closes,
:mod:`~archive.cases.handover.fetching` counts downloads. :mod:`~archive.cases.handover.requests` is the
request as a handover sees and changes it. :mod:`~archive.cases.handover.reading` and
:mod:`~archive.cases.handover.papers` keep the papers. :mod:`~archive.cases.handover.facts` holds the content
of the handover report (berita acara serah terima).
"""
