"""Fixity: everything that is stored is read and compared with its record, again and again.

The scrub walks units: one UTC hour of one camera (held hours first, then those checked longest ago), and the
folders of the records bucket. It reads with a budget of bytes per second. It compares bytes, size, lock, hold
and the number of versions with journal, ledger and the store's own answer, and records each difference as an
integrity incident. It repairs nothing.

``job`` walks; ``segments`` and ``records`` check one object; ``locks`` knows the locks and holds;
``promises`` reads the journals, ``disposed`` the lists of what was destroyed; ``hours`` keeps progress;
``status`` shows people how far the scrub is.
"""
