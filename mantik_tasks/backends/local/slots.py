"""The queue: at most N jobs run at once, first come, first served.

Standard library only: the supervisor of every job imports this.

Whoever holds the queue's lock is next and looks for a free slot; the others sleep in the kernel,
which wakes them in order. Slots are locks too, so they can't leak: a slot is free when the last
process of its job is gone.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from pathlib import Path

from mantik_tasks.backends.local.children import WAKE_UP, next_signal
from mantik_tasks.backends.local.layout import try_lock

SLOT_POLL_SECONDS = 0.1


def take_slot(folder: Path, limit: int) -> int:
    """Wait for one of `limit` slots; return the descriptor that holds it, for children to inherit.

    Raises:
        Stopped: If SIGTERM came first.
    """
    queue = _open(folder / "queue")
    _lock_in_turn(queue)
    try:
        while True:
            for number in range(limit):
                slot = _open(folder / str(number))
                if try_lock(slot):
                    os.set_inheritable(slot, True)
                    return slot
                os.close(slot)
            next_signal(SLOT_POLL_SECONDS)
    finally:
        os.close(queue)


def _lock_in_turn(queue: int) -> None:
    main_thread = threading.main_thread().ident
    assert main_thread is not None  # noqa: S101 - narrows the type; a running thread has one
    taken = threading.Event()

    def lock() -> None:
        # An interrupted wait would go to the end of the queue, so it is a thread of its own that waits.
        fcntl.flock(queue, fcntl.LOCK_EX)
        taken.set()
        signal.pthread_kill(main_thread, WAKE_UP)

    threading.Thread(target=lock, daemon=True).start()
    while not taken.is_set():
        next_signal(3600)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
