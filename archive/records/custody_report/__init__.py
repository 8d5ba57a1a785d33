"""The custody record for people: per item and per person, from the events and the ledger.

:mod:`~archive.records.custody_report.vocabulary` names each act,
:mod:`~archive.records.custody_report.items` says which acts belong to an item,
:mod:`~archive.records.custody_report.record` finds them, and :mod:`~archive.records.custody_report.lines` and
:mod:`~archive.records.custody_report.paper` write the report.
"""
