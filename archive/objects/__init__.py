"""The object stores: one port, two adapters.

``filesystem`` and ``s3`` implement :class:`archive.ports.ObjectStore`; ``locations`` opens the one that a URL
names, ``rules`` has the limits common to all stores, and ``attacks`` the requests of an intruder, which
each adapter can make against its own store.

May import the kernel, ``model``, ``ports`` and ``documents``. Keeps I9: readers take the oldest version.
"""
