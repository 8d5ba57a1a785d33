"""The ledger: append-only streams of hash-linked entries, one for each decision's subject.

``streams`` appends and reads entries, ``memory`` keeps entries that one process has read, ``heads`` follows
the newest entry of every stream of a kind.
"""
