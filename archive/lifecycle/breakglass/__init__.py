"""Break-glass: destroying footage by a lawful order before its lock ends.

1. One person puts the order on record: its number, who gave it, its legal basis, its cameras and its span.
2. Another person approves exactly that ledger entry.
3. The procedure lists every version of every segment that overlaps the span. It stops if one of them is held
   or locked in COMPLIANCE mode. Otherwise it stores the list, and the order's entry names the list's hash.
   From here on the order is *in work*, and every later execution goes on with the same list.
4. For each batch, the procedure reads the holds again and destroys the versions with the store's root
   credential. That credential is used here only and stored nowhere. The index removes the segments and
   records that the time was disposed of.
5. The disposition's record is written and signed, as for every disposition.
6. The order is marked as executed. The leaves stay in the journals.

Each step can be repeated. A crash between any two steps leaves an order that can be executed again.
"""
