"""The object store on a file system (design: filesystem store).

Under the root lie the objects, each under its own key, read-only; beside each a hidden sidecar with its
SHA-256, size, time, lock, hold and metadata; ``.incoming`` for files still being written; ``.locks`` for
the locks between processes.

**Put**: 1 write, hash and fsync a temporary · 2 take the key's lock · 3 fsync and rename the sidecar into
place, fsync the folder · 4 ``link()`` the temporary to the key, which fails if the key is taken · 5 fsync
the folder · 6 unlink the temporary. **Delete**: 1 take the key's lock · 2 check hold and retention against
the clock · 3 unlink the object, fsync the folder · 4 unlink the sidecar, remove folders left empty. After a
crash between any two steps the object is either whole and visible or invisible; a repeated put or delete
completes the work.

A key has one version here, and its version id is the SHA-256. Locks and holds bind every caller of this
module. On the file system itself the administrator can do anything; sidecars, fixity checks and
checkpoints reveal that, but do not prevent it.
"""

from archive.objects.filesystem.store import FilesystemStore

__all__ = ["FilesystemStore"]
