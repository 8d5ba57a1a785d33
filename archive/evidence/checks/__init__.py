"""The steps of a verification, one module each; :mod:`archive.evidence.verify` puts them in order."""
