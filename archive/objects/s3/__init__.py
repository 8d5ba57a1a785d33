"""The object store on S3 (AWS Signature 4, Object Lock, SHA-256 checksums); MinIO is the one tested with.

**One request per put.** ``If-None-Match: *``, the SHA-256 as a signed checksum header that the store
compares, lock, hold and metadata go in one request, and its answer carries checksum and version id. The
bytes are hashed once, when the content is made: the signature covers the checksum header, not the body.

**Readers take the oldest version** (I9). S3's put-if-absent succeeds again over a delete marker, and a plain
put by another client shadows an object. So every read without a version first looks up the oldest, and
callers that read often pass the version they know. ``put`` looks for older versions too if the key does not
carry its content's hash (ledger, journal, checkpoints): if an older version exists, the key was
taken, whatever the store answered. Keys that carry the hash (segments, attachments) need no second request.

**One truth after an unclear answer.** botocore never repeats a request here. This adapter repeats reads and
lock changes, which are safe to repeat; a put first checks whether it has arrived.

A key that is also a folder of other keys hides those from MinIO's listings (measured); Saksi has none.
"""

from archive.objects.s3.connection import Connection, connect, connect_client
from archive.objects.s3.store import S3Store

__all__ = ["Connection", "S3Store", "connect", "connect_client"]
