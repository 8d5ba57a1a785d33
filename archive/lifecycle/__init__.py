"""How long footage stays, and how it goes.

``retention`` says how long footage stays. ``holds`` stop its destruction. ``disposition`` destroys it and
records that. ``breakglass`` carries out a lawful order before a lock ends. Holds and destruction pass one
``gate``, one at a time.

May import ``footage`` and the rooms before it. Keeps I4.
"""
