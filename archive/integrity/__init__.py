"""Whether all of it is still true.

``check`` holds the invariants against everything stored, ``fixity`` reads and hashes it again and again,
``rebuild`` makes an index from the archive alone, ``canary`` attacks the store's own promises.

The last room: it may import all others, and none of them imports it. Watches I1 to I9.
"""
