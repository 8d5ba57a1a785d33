"""What is written down: every statement about footage, people and acts.

``ledger`` holds decisions, ``journal`` and ``logbook`` the recorders' signed lines, ``custody`` who did what,
``integrity_incidents`` what broke. ``checkpoint`` puts all of it under the tamper-evident log, and
``custody_report`` tells the story of one item or person.

May import ``objects``, ``trust`` and what stands before them. Keeps I2 and I3.
"""
