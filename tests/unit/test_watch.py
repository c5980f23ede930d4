"""Waiting for many jobs costs one query for each round."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from mantik_tasks import watch
from mantik_tasks.backends.base import JobHandle, JobState, JobStatus
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import AuthenticationError, Unreachable
from mantik_tasks.watch import Watcher, interval_seconds


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "QUICKEST_SECONDS", 0.01)


def handle(number: int) -> JobHandle:
    return JobHandle(
        backend=BackendKind.LOCAL, site="s", path=f"/p/{number}", key=f"k{number}", job_id=str(number)
    )


class CountingBackend:
    """Knows every job to be running, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.errors: list[Exception] = []

    def statuses(self, handles: Sequence[JobHandle]) -> dict[JobHandle, JobStatus]:
        self.asked.append(len(handles))
        if self.errors:
            raise self.errors.pop()
        return dict.fromkeys(handles, JobStatus(state=JobState.RUNNING))

    def read_logs(self, offsets: Mapping[JobHandle, int]) -> dict[JobHandle, bytes]:
        return {known: b"%d" % offset for known, offset in offsets.items()}


class Caller:
    """Calls a backend on a thread, as a site does."""

    def __init__(self, backend: CountingBackend) -> None:
        self.backend: Any = backend

    async def call(self, function: Callable[..., Any], /, *args: Any) -> Any:
        return await asyncio.to_thread(function, *args)


async def test_a_thousand_jobs_are_one_query() -> None:
    backend = CountingBackend()
    watcher = Watcher(Caller(backend))
    began = time.monotonic()
    seen = await asyncio.gather(*(watcher.observe(handle(number), number, began) for number in range(1000)))
    assert backend.asked == [1000]
    assert [observation.log for observation in seen] == [b"%d" % number for number in range(1000)]


async def test_two_that_wait_for_the_same_job_are_both_told() -> None:
    watcher = Watcher(Caller(CountingBackend()))
    began = time.monotonic()
    first, second = await asyncio.gather(
        watcher.observe(handle(1), 0, began), watcher.observe(handle(1), 0, began)
    )
    assert first.status == second.status == JobStatus(state=JobState.RUNNING)


async def test_a_site_that_can_not_be_reached_changes_nothing() -> None:
    backend = CountingBackend()
    backend.errors = [Unreachable("no route")]
    watcher = Watcher(Caller(backend))
    began = time.monotonic()
    assert (await watcher.observe(handle(1), 0, began)).trouble == "no route"
    assert (await watcher.observe(handle(1), 0, began)).status is not None


@pytest.mark.parametrize("error", [AuthenticationError("no"), RuntimeError("bug")])
async def test_trouble_that_does_not_pass_reaches_whoever_waits(error: Exception) -> None:
    backend = CountingBackend()
    backend.errors = [error]
    with pytest.raises(type(error)):
        await Watcher(Caller(backend)).observe(handle(1), 0, time.monotonic())


async def test_who_no_longer_waits_is_no_longer_asked_for() -> None:
    backend = CountingBackend()
    watcher = Watcher(Caller(backend))
    gone = asyncio.create_task(watcher.observe(handle(1), 0, time.monotonic()))
    await asyncio.sleep(0)
    gone.cancel()
    await watcher.observe(handle(2), 0, time.monotonic())
    assert backend.asked == [1]


def test_young_jobs_are_looked_at_often_and_old_ones_seldom() -> None:
    intervals = [interval_seconds(age) for age in (0, 60, 600, 6000, 10**9)]
    assert intervals == sorted(intervals)
    assert intervals[-1] == watch.SLOWEST_SECONDS
