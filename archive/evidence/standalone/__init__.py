"""A second verifier of evidence packages, which needs Python 3.9 and nothing else but ``openssl``.

It shares no code with :mod:`archive.evidence.verify`: who doubts one can ask the other. Every module here
imports the standard library and its neighbours only (held by
``tests/unit/evidence/test_standalone_shape.py``), so that ``ops/pyz.py`` can put them into the single file
``saksi-verify.pyz``. Signatures are checked by the ``openssl`` program; without it they count as not checked,
and no package is valid.

===================  ==================================================================
``command``          the command line; ``wording`` what it prints
``verify``           the whole check in its order
``notebook``         steps, findings, the verdict; ``catalogue`` every finding there is
``parcel``           a folder or a ZIP that may be hostile; ``bag`` manifests and tag files
``canonical``        RFC 8785; ``schema`` the JSON Schema of ``evidence.json``; ``times``
``stream``           the one pass over the payload; ``derived`` clips beside it, ``clip`` their heads,
                     ``pieces`` what is stated of them, ``mp4`` boxes and NAL units
``statement``        what ``evidence.json`` says against the parts; ``leaf`` recorders' lines
``journals``         recorders' signed batches; ``log`` inclusion proofs and checkpoints
``trust``            seal, signer and stamp; ``revocation`` lists; ``der``, ``certificate``, ``cms``,
                     ``openssl``
===================  ==================================================================

``docs/reference/verification.md`` describes the algorithm step by step.
"""
