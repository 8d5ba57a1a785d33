"""Recent plans of downloads: a client that continues one with many Range requests needs one plan."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Plan = TypeVar("Plan")


class Kept(Generic[Plan]):
    """The ``most`` plans that were used last. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def get(self, key: str, make: Callable[[], Plan]) -> Plan:
        """The plan of a key; if it is not kept, ``make`` makes it, and its errors pass through.

        Two threads that miss at the same time both make it; plans of one key are equal.
        """
        with self._guard:
            found = self._plans.get(key)
            if found is not None:
                self._plans.move_to_end(key)
                return found
        made = make()
        with self._guard:
            self._plans[key] = made
            while len(self._plans) > self._most:
                self._plans.popitem(last=False)
        return made
