"""One backend for equal connections, in the whole process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from mantik_tasks.backends.base import Backend

B = TypeVar("B", bound=Backend)
C = TypeVar("C", bound=Hashable)

_backends: dict[Hashable, Backend] = {}
_lock = threading.Lock()


def shared_backend(connection: C, build: Callable[[C], B]) -> B:
    """Return the backend of a connection; equal connections get the same object.

    Args:
        connection: A frozen connection model.
        build: Makes the backend. It must not contact the site yet: others wait meanwhile.
    """
    with _lock:
        if connection not in _backends:
            _backends[connection] = build(connection)
        return cast("B", _backends[connection])


def _forget() -> None:
    """Start afresh in a forked child: a network connection can't be used by two processes."""
    global _lock
    # The parent may have held it during the fork.
    _lock = threading.Lock()
    _backends.clear()


os.register_at_fork(after_in_child=_forget)
