"""What the index finds of all that is written down: pure functions from stored events and entries to records.

:mod:`~archive.records.indexed.line` is one act as reports show it, and the body of its record.
:mod:`~archive.records.indexed.terms` spells the words that records are found by.
:mod:`~archive.records.indexed.events` makes the records of custody events,
:mod:`~archive.records.indexed.entries` those of ledger entries, and
:mod:`~archive.records.indexed.streams` the record of a whole ledger stream, as lists show it.
:mod:`~archive.records.indexed.own_writes` puts what this process wrote into the index at once.

======  =====================================================================================
kind    one record for each
======  =====================================================================================
act     custody event (id of the event) and ledger entry (its ``entry_id``)
unread  object that cannot be read (its key): an answer that it may belong to is refused
others  ledger stream of the kind (id of the stream): ``request``, ``hold``, ``evidence`` …
======  =====================================================================================

Nothing secret enters the index: no sealed camera URL, no recorder's key, no scope of a token, no text of a
paper or comment, no personal number and no telephone number of a requester.
"""
