"""Adoption: segments that a recorder stored and never named get a signed line from another.

A recorder stores a segment, and then writes its line (:mod:`archive.footage.ingest`). If its host dies
between the two, or before the line's batch is uploaded, the archive has a segment that nobody signed for.
Should the host come back, its spool still has the line. If it does not, these steps follow:

1. The recorder has given no sign for the bound that is set: no heartbeat, no batch, no segment
   (:mod:`archive.integrity.adoption.silence`).
2. The segments that it stored at the end are held against its last batches
   (:mod:`archive.integrity.adoption.lines`).
3. A segment without a line is read as a whole: its bytes are those of its leaf, and it is one finalised
   segment (:mod:`archive.integrity.adoption.whole`). Its times are those that its own leaf states.
4. The act is on record, with the recorder that stored the segments and the one that signs.
5. The leaf, unchanged, becomes a line of a batch of origin ``adopted``, under the adopter's own name and key
   (:mod:`archive.integrity.adoption.signing`). A number of a run that was never stored becomes a gap
   ``upload_lost`` (:mod:`archive.integrity.adoption.lost`).
6. The index gets the segment, the batch is uploaded, and the index's cursor of the adopter advances.

Every step may be repeated. If the recorder comes back after all it signs the same line, byte for byte: one
segment, one leaf. A package shows the recorder's own line where there is one.
"""

from archive.integrity.adoption.job import Adoption
from archive.integrity.adoption.signing import Signer

__all__ = ["Adoption", "Signer"]
