"""The tamper-evident log: hourly checkpoints over everything that arrived in the records bucket.

``docs/reference/log.md`` describes every byte of it, for authors of another verifier.

===============  ==========================================================================
``note``         the checkpoint itself: a C2SP checkpoint as text
``leaves``       ``leaves-….jsonl``: which lines lie under it, and where the archive has them
``covered``      which objects lie under some checkpoint, in little memory
``arrived``      the objects that arrived since, and which batches are refused
``make``         the numbered procedure that makes one; ``witness`` shows it to others
``stored``       reading checkpoints back
``prove``        inclusion proofs
``verify``       the whole check, from the archive alone; ``findings`` has its results
``uncovered``    objects that should be under a checkpoint and are not (I3)
===============  ==========================================================================
"""
