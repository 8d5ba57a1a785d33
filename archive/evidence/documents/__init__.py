"""The documents around an evidence package, as PDF in Indonesian with English second.

:mod:`~archive.evidence.documents.compose` writes the sealing report into a package while it is sealed;
:mod:`~archive.cases.handover.report` is the *berita acara serah terima* beside it, and
:mod:`~archive.trust.pades` signs a PDF. The same facts give the same bytes, signatures apart.
"""
