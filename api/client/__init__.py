"""A typed client of Saksi's HTTP API. It needs httpx, and nothing else of this project.

::

    with Client("https://cctv.example.go.id", token, purpose="Shift 1") as saksi:
        cameras = saksi.cameras.list_cameras().body["cameras"]

Methods are named as the operations of ``/openapi.json``. Bodies are plain dicts, typed as ``TypedDict``.
An :class:`~api.client.connection.Answer` has the ``body`` and the ``etag``, which a change takes as
``if_match``. A :class:`~api.client.connection.Download` is read or saved; saving goes on after a break.
"""

from api.client.client import Client
from api.client.connection import (
    Answer,
    ClientError,
    Connection,
    Download,
    NoAnswer,
    ProblemAnswer,
    Saved,
    UnexpectedAnswer,
)

__all__ = [
    "Answer",
    "Client",
    "ClientError",
    "Connection",
    "Download",
    "NoAnswer",
    "ProblemAnswer",
    "Saved",
    "UnexpectedAnswer",
]
