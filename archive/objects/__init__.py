"""Object stores behind one port (``archive.ports.ObjectStore``): the file system and S3."""
