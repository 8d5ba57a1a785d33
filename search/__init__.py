"""A view of the archive that answers questions about times and places quickly.

The index holds nothing that the archive does not: delete it and ``saksi index rebuild`` brings it back (I5).
``query`` says what may be asked, ``index`` what every adapter answers, ``coverage`` joins the answers into
coverage, gaps and pending; ``sqlite`` and ``elastic`` are the adapters, chosen by URL in ``locations``.
"""
