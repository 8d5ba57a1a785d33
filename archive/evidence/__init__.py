"""Sealed evidence packages: this package makes them, and anyone can verify them without Saksi.

A package is a BagIt 1.0 bag. Its tag manifest is sealed with a CAdES signature, and the signature is
time-stamped (RFC 3161). ``docs/reference/evidence-package.md`` describes every part of it.

=================  =====================================================================
``plan``           what goes into a package, as plain values
``paths``          where each part lies inside the package
``bag``            BagIt: manifests and tag files
``statement``      ``evidence.json``: its shape; ``manifest`` writes it
``derivation``     proof that a clip's samples are the originals' bytes
``prepare``        from a request to its plan
``sealing``        the procedure from plan to sealed package; ``sealed`` reads the result
``zipped``         the package as one ZIP, streamed
``verifier``       the whole check, offline; ``verification`` calls it from the archive
``jobs``           requests and the workers that claim them
=================  =====================================================================
"""
