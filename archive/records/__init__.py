"""Records: every statement about footage, people and custody acts.

``ledger`` holds decisions, ``journal`` and ``logbook`` the recorders' signed lines, ``custody`` who did what,
``integrity_incidents`` what broke. ``checkpoint`` puts all of them under the tamper-evident log, and
``custody_report`` lists the acts on one item or by one person.

May import ``objects``, ``trust`` and the rooms before them. Keeps I2 and I3.
"""
