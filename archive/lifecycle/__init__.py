"""How long footage stays, and how it goes.

``retention`` says how long, ``holds`` stop destruction, ``disposition`` destroys on record, ``breakglass``
carries out a lawful order before a lock ends. Holds and destruction pass one ``gate``, one at a time.

May import ``footage`` and what stands before it. Keeps I4.
"""
