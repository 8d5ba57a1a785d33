"""Break-glass: destroying footage by a lawful order before its lock ends.

1. The order is put on record: its number, who gave it, on what legal basis, which cameras and which span.
2. Another person approves exactly that entry.
3. The segments that overlap the span are listed, every version of them. Nothing happens where one is held, or
   locked in COMPLIANCE mode; else the list is kept and the order's entry names its hash. From here on the
   order is *in work*, and whoever executes it again goes on with the same list.
4. Batch by batch: the holds are read again, then the versions are destroyed with the store's root credential,
   which is used here and nowhere kept; the index forgets them, and says that the time was disposed of.
5. The record of the disposition is written and signed, as of any disposition.
6. The order is executed. The leaves stay in the journals.

Each step may be repeated; a crash between any two of them leaves an order that can be executed again.
"""
