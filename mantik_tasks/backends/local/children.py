"""The processes below a supervisor: started, waited for, measured and ended.

Standard library only: the supervisor of every job imports this.

Signals are blocked and waited for, never handled: no cancel can arrive between two steps unseen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from mantik_tasks.backends.local.processes import Process, descendants

GRACE_SECONDS = 10.0
KILL_SECONDS = 30.0
TICK_SECONDS = 0.02
WAKE_UP = signal.SIGUSR1
_AWAITED = frozenset({signal.SIGTERM, signal.SIGCHLD, WAKE_UP})
_PR_SET_CHILD_SUBREAPER = 36


class Stopped(Exception):
    """Somebody asked the supervisor to end."""


def become_parent_of_orphans() -> None:
    """Keep every process that ever comes from a child below this one, whatever it does to get away."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def block_signals() -> None:
    """Let signals wait until they are asked for."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def next_signal(timeout_seconds: float) -> int | None:
    """Wait for a signal; return its number, or nothing if none came in time.

    Raises:
        Stopped: If it was SIGTERM.
    """
    received = signal.sigtimedwait(_AWAITED, max(timeout_seconds, 0))
    if received is None:
        return None
    if received.si_signo == signal.SIGTERM:
        raise Stopped
    return received.si_signo


class Children:
    """What was started below this process, and what it used.

    Attributes:
        cpu_seconds: User and system time of all that has ended.
        max_rss_mib: Largest resident memory of one process.
    """

    def __init__(self) -> None:
        self.cpu_seconds = 0.0
        self.max_rss_mib = 0.0
        self._child: int | None = None
        self.exit_code: int | None = None

    def start(self, script: str, environment: Mapping[str, str], output: Path) -> None:
        """Start a bash script in the current directory, its output appended to a file."""
        self.exit_code = None
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self._child = os.posix_spawnp(
            "bash",
            ["bash", script],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(output), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsigmask=[],
            setsigdef=[signal.SIGHUP, signal.SIGINT, signal.SIGPIPE],
        )

    def wait(self, seconds: float | None = None) -> int | None:
        """Return the exit code of what was started, or nothing if it still runs after `seconds`.

        Raises:
            Stopped: If SIGTERM came first.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self._reap()
            if self.exit_code is not None:
                return self.exit_code
            left = 3600.0 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return None
            next_signal(left)

    def end_all(self) -> bool:
        """End everything below this process, at first gently; return whether all of it is gone."""
        return self._end(signal.SIGTERM, GRACE_SECONDS) or self._end(signal.SIGKILL, KILL_SECONDS)

    def _end(self, signal_number: signal.Signals, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        told: set[Process] = set()
        while living := descendants(os.getpid()):
            # What was started since the last look has not been told yet.
            for process in living - told:
                process.send(signal_number)
            told |= living
            if time.monotonic() > deadline:
                return False
            time.sleep(TICK_SECONDS)
            self._reap()
        self._reap()
        return True

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.cpu_seconds += usage.ru_utime + usage.ru_stime
            self.max_rss_mib = max(self.max_rss_mib, usage.ru_maxrss / 1024)
            if pid == self._child:
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = code if code >= 0 else 128 - code
