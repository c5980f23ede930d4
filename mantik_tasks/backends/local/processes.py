"""Processes that stay themselves: a pid alone is used again, also after a reboot.

Standard library only: the supervisor of every job imports this.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

JOB_ID_VARIABLE = "MANTIK_JOB_ID"
_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process for as long as this host is up.

    Attributes:
        pid: Its process id.
        start_ticks: When it started, in clock ticks since boot.
    """

    pid: int
    start_ticks: int

    @classmethod
    def current(cls) -> Process:
        """Return the calling process."""
        return cls(os.getpid(), _Stat.read(os.getpid()).start_ticks)

    @property
    def alive(self) -> bool:
        """Whether it still runs; a process that only waits to be reaped does not."""
        try:
            stat = _Stat.read(self.pid)
        except OSError:
            return False
        return stat.start_ticks == self.start_ticks and stat.state not in "ZX"

    def send(self, signal_number: signal.Signals) -> bool:
        """Send a signal to this very process; return whether it was there to get it."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive:
                return False
            signal.pidfd_send_signal(descriptor, signal_number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    start_ticks: int

    @classmethod
    def read(cls, pid: int) -> _Stat:
        # The command's name comes before, in parentheses, and may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return cls(state=fields[0], parent=int(fields[1]), start_ticks=int(fields[19]))


def boot_id() -> str:
    """Return what identifies this boot of this host."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def descendants(ancestor: int) -> frozenset[Process]:
    """Return all living processes below a process."""
    children = defaultdict(list)
    for pid, stat in _all_stats():
        children[stat.parent].append((pid, stat))
    found = set()
    parents = [ancestor]
    while parents:
        for pid, stat in children.pop(parents.pop(), ()):
            parents.append(pid)
            if stat.state not in "ZX":
                found.add(Process(pid, stat.start_ticks))
    return frozenset(found)


def processes_by_job() -> dict[str, frozenset[Process]]:
    """Return the living processes that carry a job's id in their environment, by that id."""
    found = defaultdict(set)
    prefix = f"{JOB_ID_VARIABLE}=".encode()
    for pid, stat in _all_stats():
        environment = b""
        with contextlib.suppress(OSError):
            environment = (_PROC / str(pid) / "environ").read_bytes()
        for variable in environment.split(b"\0"):
            if variable.startswith(prefix) and stat.state not in "ZX":
                found[os.fsdecode(variable.removeprefix(prefix))].add(Process(pid, stat.start_ticks))
    return {job_id: frozenset(processes) for job_id, processes in found.items()}


def _all_stats() -> Iterator[tuple[int, _Stat]]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            # A process may end between the listing and the look.
            with contextlib.suppress(OSError):
                yield int(entry.name), _Stat.read(int(entry.name))
