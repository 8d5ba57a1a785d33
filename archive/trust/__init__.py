"""Signatures and time, judged for the archive's own log and papers.

Packages are judged by :mod:`archive.evidence.verifier`, which shares no code with this. One set of test
vectors runs over both (``tests/unit/test_trust_vectors.py``).
"""
