"""The verifier of evidence packages. It needs only Python 3.9 and ``openssl``.

It shares no code with sealing. Every module here imports only the standard library and its neighbours
(``tests/unit/evidence/test_verifier_shape.py`` checks this), so that ``ops/pyz.py`` can pack them into a
single file, ``saksi-verify.pyz``. ``saksi verify``, the API and the sealer call the same code through
:mod:`archive.evidence.verification`. The program ``openssl`` checks signatures; without it they count as not
checked, and no package is valid.

===================  ==================================================================
``command``          the command line; ``wording`` what it prints
``verify``           the whole check in its order
``findings``         every finding there is; ``findings_contents``, ``findings_trust`` its two halves
``notebook``         steps, findings, the verdict
``container``        a folder or a ZIP that may be hostile; ``names`` of parts; ``layout`` the records of a
                     ZIP as the archive writes it, ``anew`` one that it did not write;
                     ``bag`` manifests and tag files; ``later`` what lies beside the seal
``canonical``        RFC 8785; ``schema`` the JSON Schema of ``evidence.json``; ``times``
``stream``           the one pass over the payload; ``derived`` clips beside it, ``clip`` their heads,
                     ``pieces`` the stated pieces, ``mp4`` boxes and NAL units
``rebuilt``          clips made anew from ``original`` headers by their layout: ``clip_cut``, ``clip_head``,
                     ``original_sound`` and ``clip_sound`` their sound
``statement``        ``evidence.json`` compared with the parts; ``lists`` what its lists claim,
                     ``moments`` times that cannot be; ``texts`` that read as another;
                     ``leaf`` recorders' lines
``journals``         recorders' signed batches, which ``batches`` reads; ``log`` inclusion proofs and
                     checkpoints
``trust``            seal, signer and stamp; ``revocation`` lists; ``der``, ``certificate``, ``cms``,
                     ``openssl``
===================  ==================================================================

``docs/reference/verification.md`` describes the algorithm step by step.
"""
