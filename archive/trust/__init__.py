"""Signatures and time, for the log, for papers and for packages alike.

Certificates and their revocation, CMS (CAdES) signatures, RFC 3161 time stamps, signed PDF (PAdES). It makes
signatures, and judges those of our own log and papers. Packages are judged by the verifier in ``evidence``,
which shares no code with this room; one set of vectors runs over both.

May import the kernel, ``model``, ``ports`` and ``documents``.
"""
