"""The ledger: append-only streams of hash-linked entries, one stream per subject of decisions.

``streams`` appends and reads entries, ``wire`` has their bytes, ``memory`` keeps entries that a process has
already read, ``listed`` lists entries, ``heads`` follows the newest entry of every stream of a kind.
"""
