"""Keeps botocore's list of AWS's addresses out of memory where the store has its own address.

botocore reads the list for each session and keeps it: 7 MiB of Python objects, more than all else of a client
(measured). Nearly all of it is about services other than S3.
"""

from pathlib import PurePath
from typing import Any

from botocore.loaders import JSONFileLoader


class OnlyS3(JSONFileLoader):
    """Reads botocore's data, and of the list of addresses only what it says of S3."""

    def load_file(self, file_path: str) -> Any:
        """The data in a file whose name is given without its ending; None if there is no such file."""
        found = super().load_file(file_path)
        if found is not None and PurePath(file_path).name == "endpoints":
            for partition in found["partitions"]:
                services = partition["services"]
                partition["services"] = {name: services[name] for name in services if name == "s3"}
        return found
