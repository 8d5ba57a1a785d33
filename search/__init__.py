"""The index: a view of the archive that answers queries about times and places quickly.

The index holds nothing that the archive does not: delete it, and ``saksi index rebuild`` restores it (I5).
``query`` defines queries and answers, ``index`` the interface of every adapter; ``coverage`` combines answers
into coverage, gaps and pending; ``health`` and ``compliance`` say which cameras work and what they kept.
``sqlite`` and ``elastic`` are the adapters; ``locations`` picks one by URL.
"""
