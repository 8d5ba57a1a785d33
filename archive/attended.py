"""Long work for a reader ends when the reader is gone: one question, asked between two steps.

The code that serves a reader says how to ask whether the reader still waits (:func:`while_wanted`); long
reading asks between its steps (:func:`step`). Work that serves nobody, such as a job, never ends early. Only
reading may take steps: a change is always finished, even if the client left.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from archive.errors import Unavailable

T = TypeVar("T")

_WANTED: ContextVar[Callable[[], bool] | None] = ContextVar("wanted", default=None)
"""How to ask about the reader of this task, and of the threads that work for it; None: nobody is served."""


class Abandoned(Unavailable):
    """The reader left before the answer was ready; the work stopped between two steps."""

    default_code = "client_left"


@contextmanager
def while_wanted(wanted: Callable[[], bool]) -> Iterator[None]:
    """Work in this block is wanted only as long as ``wanted()``, which must not wait."""
    before = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(before)


def step() -> None:
    """Between two steps of reading. Raises Abandoned ``client_left`` if nobody waits for the answer."""
    wanted = _WANTED.get()
    if wanted is not None and not wanted():
        raise Abandoned("the reader left before the answer was ready", code="client_left")


def each(values: Iterable[T]) -> Iterator[T]:
    """The values, with a step before each. Raises as :func:`step`."""
    for value in values:
        step()
        yield value
