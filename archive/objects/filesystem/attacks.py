"""The canary's attacks on a file system store, through the adapter's own methods.

They show that no program of ours destroys locked objects. Root on the host needs no adapter, and
nothing on that host can stop root; only checkpoints kept elsewhere reveal it.
"""

import os
import pwd

from archive.objects.attacks import Bypass, NotOffered
from archive.ports import Content, Lock, LockMode, ObjectStore


class FolderAttacks:
    """The canary's attacks through the adapter; there is no right to bypass anything."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @property
    def account(self) -> str:
        """The account of this process."""
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except (KeyError, OSError):
            name = f"uid-{os.getuid()}"
        return "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-") or "user"

    def delete(self, key: str, version: str, bypass: Bypass) -> None:
        """As the retention job would."""
        self._offered(bypass)
        self._store.delete_version(key, version=version)

    def shorten_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """A lock that ends sooner."""
        self._offered(bypass)
        self._store.extend_lock(key, Lock(LockMode.GOVERNANCE, until), version=version)

    def clear_lock(self, key: str, version: str, bypass: Bypass) -> None:
        """There is no such method."""
        raise NotOffered("the store has no way to remove a lock")

    def harden_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """The same lock in the other mode."""
        self._offered(bypass)
        self._store.extend_lock(key, Lock(LockMode.COMPLIANCE, until), version=version)

    def overwrite(self, key: str, content: Content) -> None:
        """Other bytes under the same key."""
        self._store.put(key, content)

    def hide(self, key: str) -> None:
        """There are no delete markers."""
        raise NotOffered("the store has no delete markers")

    def _offered(self, bypass: Bypass) -> None:
        if bypass is Bypass.CLAIMED:
            raise NotOffered("the store has no right to bypass a lock")
