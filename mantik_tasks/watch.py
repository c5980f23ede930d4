"""Waiting for jobs: one query per site and interval, however many jobs there are."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mantik_tasks.backends.base import Backend, JobHandle, JobStatus
from mantik_tasks.errors import BackendError

QUICKEST_SECONDS = 0.5
SLOWEST_SECONDS = 30.0
_SHARE_OF_AGE = 1 / 20
_JITTER = 0.1


class Caller(Protocol):
    """What a watcher needs of a site."""

    backend: Backend

    async def call(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a blocking call on a thread."""


@dataclass(frozen=True)
class Observation:
    """What one round told about one job.

    Attributes:
        status: Its status; None if the site could not tell.
        log: What its log has grown by.
        trouble: Why the site could not tell.
    """

    status: JobStatus | None
    log: bytes = b""
    trouble: str | None = None


@dataclass(eq=False)
class _Waiter:
    handle: JobHandle
    log_offset: int
    began_at: float
    answer: asyncio.Future[Observation] = field(default_factory=asyncio.Future)


def interval_seconds(youngest_seconds: float) -> float:
    """Return how long to wait between rounds: short while a job is young, longer as it grows old."""
    return min(max(QUICKEST_SECONDS, youngest_seconds * _SHARE_OF_AGE), SLOWEST_SECONDS)


class Watcher:
    """Asks one site for all jobs that are waited for, in rounds."""

    def __init__(self, site: Caller) -> None:
        self._site = site
        self._waiters: list[_Waiter] = []
        self._rounds: asyncio.Task[None] | None = None

    async def observe(self, handle: JobHandle, log_offset: int, began_at: float) -> Observation:
        """Wait for the next round and return what it tells about a job.

        Args:
            handle: The job.
            log_offset: How many bytes of its log are known, in bytes.
            began_at: When waiting for this job began, by `time.monotonic()`.

        Raises:
            BackendError: If the site could not tell for a reason that does not pass.
        """
        waiter = _Waiter(handle, log_offset, began_at)
        self._waiters.append(waiter)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._run())
        return await waiter.answer

    async def _run(self) -> None:
        while self._waiters:
            youngest = time.monotonic() - max(waiter.began_at for waiter in self._waiters)
            await asyncio.sleep(interval_seconds(youngest) * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - not a secret
            waiters, self._waiters = [waiter for waiter in self._waiters if not waiter.answer.done()], []
            if not waiters:
                continue
            try:
                observations = await self._round(waiters)
            except Exception as error:  # whoever waits must hear of it, whatever it is
                for waiter in waiters:
                    if not waiter.answer.done():
                        waiter.answer.set_exception(error)
                continue
            for waiter, observation in zip(waiters, observations, strict=True):
                if not waiter.answer.done():
                    waiter.answer.set_result(observation)

    async def _round(self, waiters: Sequence[_Waiter]) -> list[Observation]:
        backend = self._site.backend
        offsets = {waiter.handle: waiter.log_offset for waiter in waiters}
        try:
            statuses = await self._site.call(backend.statuses, list(offsets))
            logs = await self._site.call(backend.read_logs, offsets)
        except BackendError as error:
            if not error.transient:
                raise
            return [Observation(None, trouble=str(error)) for _ in waiters]
        return [Observation(statuses[waiter.handle], logs.get(waiter.handle, b"")) for waiter in waiters]
