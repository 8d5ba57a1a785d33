"""The tamper-evident log: hourly checkpoints over everything that arrived in the records bucket.

``docs/reference/log.md`` describes every byte of it, for whoever writes another verifier.

===============  ==========================================================================
``note``         the checkpoint itself: a C2SP checkpoint as text
``leaves``       ``leaves-….jsonl``: which lines lie under it, and where they are found
``covered``      which objects lie under some checkpoint, in little memory
``arrived``      what has arrived since, and which batches are refused
``make``         the numbered procedure that makes one; ``witness`` shows it to others
``stored``       reading checkpoints back
``prove``        inclusion proofs
``verify``       the whole check, from the archive alone; ``findings`` says what it found
``uncovered``    what should be under a checkpoint and is not (I3)
===============  ==========================================================================
"""
