"""Fixity: everything that is stored is read and compared with its record, again and again.

The scrub walks units, one UTC hour of one camera (held ones first, then those checked longest ago), and
the folders of the records bucket. It reads with a budget of bytes per second, compares bytes, size, lock,
hold and the number of versions with journal, ledger and the store's own word, and puts what differs on
record as an integrity incident. It repairs nothing.

``scrub`` walks; ``segments`` and ``records`` look at one object; ``rules`` knows the locks and holds;
``promises`` reads the journals, ``disposed`` what was destroyed on record; ``hours`` remembers; ``status``
tells people how far it is.
"""
