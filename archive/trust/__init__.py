"""Signatures and time stamps for the log, for documents and for packages.

This package covers certificates and their revocation, CMS (CAdES) signatures, RFC 3161 time stamps and signed
PDF (PAdES). It makes signatures, and it judges those of the archive's own log and documents. The verifier in
``evidence`` judges packages; it shares no code with this package, and one set of test vectors runs over both.

May import the kernel, ``model``, ``ports`` and ``documents``.
"""
