"""The system of record: what was recorded, what was not, and the proof of both.

``archive`` imports none of the other packages. Its promises, checked by ``saksi archive check``,
``saksi doctor`` and the test suite:

I1  Every indexed segment has an object version of exactly that size and SHA-256; every segment object
    is indexed, or is younger than ten minutes, or is named by ``archive check`` and adopted from its
    own metadata. The exception: a segment that no index can take is set aside. A signed gap of cause
    ``set_aside`` stands in its place, an integrity incident names it, ``archive check`` checks its bytes
    like those of any other segment, and no rule destroys it until a person decides.
I2  Each recorder's journal batches are numbered without holes and signed, each naming the hash of the
    one before; inside a run, segment numbers have no holes.
I3  Every journal line, ledger entry and custody object is under a checkpoint within the interval plus
    ten minutes of its arrival.
I4  From the moment a hold's entry is written, nothing it covers is destroyed; nothing under unexpired
    retention is deleted, no matter who asks or how full the store is.
I5  The index can be deleted without loss.
I6  For every registered camera, up to its high-water mark, each instant since registration is covered
    or lies in a gap, of which one recorder gives it exactly one; beyond it the answer is ``pending`` or
    ``unknown since T``.
I7  A sealed package never changes; later additions live outside the sealed set.
I8  No footage leaves the system without a custody event naming person, purpose and bytes.
I9  In the footage and records buckets every key has exactly one version. A second version or a delete
    marker is an integrity incident; readers take the oldest.

The checkpoint job keeps I3. The ledger, the store's locks and holds, and fixity, which compares them, keep
I4. Every part that writes keeps the others.
"""
