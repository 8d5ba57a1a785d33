"""Whether all of it is still true.

``check`` compares everything stored with the invariants. ``fixity`` reads and hashes it again and again.
``rebuild`` makes an index from the archive alone. ``canary`` attacks the store's own promises.

The last room: it may import all others, and none of them imports it. Checks I1 to I9.
"""
