"""Sealed evidence packages: made here, and checked by anybody without us.

A package is a BagIt 1.0 bag. Its tag manifest is sealed with a CAdES signature, and the signature is
time-stamped (RFC 3161). ``docs/reference/evidence-package.md`` describes every part of it.

=================  =====================================================================
``plan``           what goes into a package, as plain values
``paths``          where each part lies inside the package
``bag``            BagIt: manifests and tag files
``statement``      ``evidence.json``: its shape; ``manifest`` writes it
``derivation``     proof that a clip's samples are the originals' bytes
``seal``           signing (CAdES); ``timestamp`` the authorities
``prepare``        from a request to its plan
``sealing``        the procedure from plan to sealed package; ``sealed`` reads what it made
``zipped``         the package as one ZIP, streamed
``container``         reading a package from a folder or a ZIP that may be hostile
``verify``         the whole check, offline; ``checks`` holds one module a step
``jobs``           requests and the workers that claim them
=================  =====================================================================
"""
