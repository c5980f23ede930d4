"""Transfers that a person can watch."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from mantik_tasks.backends.base import TransferProgress

R = TypeVar("R")

_SHOWN_EVERY_SECONDS = 1.0


async def watched(progress: TransferProgress, transfer: Awaitable[R], *, key: str, what: str) -> R:
    """Await a transfer and show how far it is as a progress artifact, if it takes long enough to see.

    When the caller is cancelled, the transfer is told to stop at its next file or block.
    """
    moving = asyncio.ensure_future(transfer)
    shown = _ProgressArtifact(key, what)
    try:
        while not (await asyncio.wait({moving}, timeout=_SHOWN_EVERY_SECONDS))[0]:
            await shown.show(percent_done(progress))
        await shown.end(percent_done(progress))
        return moving.result()
    except asyncio.CancelledError:
        progress.stop.set()
        moving.add_done_callback(_consume)
        raise


class _ProgressArtifact:
    """A progress bar in the Prefect UI. A server in trouble must not disturb the transfer."""

    def __init__(self, key: str, what: str) -> None:
        self._key = key
        self._what = what
        self._id: UUID | None = None
        self._percent = -1.0

    async def show(self, percent: float) -> None:
        if percent == self._percent:
            return
        self._percent = percent
        try:
            if self._id is None:
                self._id = await acreate_progress_artifact(
                    progress=percent,
                    key=artifact_key(self._key, self._what),
                    description=f"{self._what.capitalize()} {self._key}",
                )
            else:
                await aupdate_progress_artifact(self._id, percent)
        except Exception as error:  # whatever ails the server, the files must travel on
            get_run_logger().warning("The progress can't be shown: %s", error)

    async def end(self, percent: float) -> None:
        if self._id is not None:
            await self.show(percent)


def percent_done(progress: TransferProgress) -> float:
    """Return how much of a transfer is done, in percent, by bytes if their number is known."""
    if progress.total_bytes:
        return min(100.0, 100.0 * progress.done_bytes / progress.total_bytes)
    return min(100.0, 100.0 * progress.done_files / progress.total_files) if progress.total_files else 0.0


def artifact_key(key: str, what: str) -> str:
    """Return a key that Prefect accepts: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{what}-{key}".lower()).strip("-")


def _consume(moving: asyncio.Future[R]) -> None:
    """Take the outcome of a transfer that nobody waits for any more."""
    if not moving.cancelled():
        moving.exception()
