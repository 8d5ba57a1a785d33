"""The custody record as people read it: per item and per person, from the events and the ledger.

:mod:`~archive.records.custody_report.vocabulary` says what each act is called,
:mod:`~archive.records.custody_report.items` which acts an item's custody consists of,
:mod:`~archive.records.custody_report.record` finds them, and :mod:`~archive.records.custody_report.lines` and
:mod:`~archive.records.custody_report.paper` write them down.
"""
