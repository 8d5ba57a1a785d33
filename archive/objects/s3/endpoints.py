"""Keeps botocore's list of AWS's own endpoints out of memory where the store has its own address.

botocore reads the list for each session and keeps it: 7 MiB of Python objects, more than all else of a client
(measured). Its entry for S3 says where AWS has stores and how they are signed to; an endpoint and a signature
that are given override both.
"""

from pathlib import PurePath
from typing import Any

from botocore.loaders import JSONFileLoader


class NoEndpoints(JSONFileLoader):
    """Reads botocore's data, and an empty list in place of that of AWS's endpoints."""

    def load_file(self, file_path: str) -> Any:
        """The data in a file whose name is given without its ending; None if there is no such file."""
        if PurePath(file_path).name == "endpoints":
            return {"version": 3, "partitions": []}
        return super().load_file(file_path)
