"""Transfers that a person can watch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from mantik_tasks.backends.base import TransferProgress
from mantik_tasks.keys import slug

R = TypeVar("R")

_SHOWN_EVERY_SECONDS = 1.0


async def watched(progress: TransferProgress, transfer: Awaitable[R], *, key: str, what: str) -> R:
    """Await a transfer and show how far it is as a progress artifact, if it takes long enough to see.

    When the caller is cancelled, the transfer is told to stop at its next file or block.
    """
    moving = asyncio.ensure_future(transfer)
    artifact: UUID | None = None
    shown = 0.0
    try:
        while True:
            done, _ = await asyncio.wait({moving}, timeout=_SHOWN_EVERY_SECONDS)
            percent = percent_done(progress)
            if done and artifact is None:
                return moving.result()
            if artifact is None:
                artifact = await _create(key, what, percent)
            elif percent != shown:
                await aupdate_progress_artifact(artifact, percent)
            shown = percent
            if done:
                return moving.result()
    except asyncio.CancelledError:
        progress.stop.set()
        moving.add_done_callback(_consume)
        raise


def percent_done(progress: TransferProgress) -> float:
    """Return how much of a transfer is done, in percent, by bytes if their number is known."""
    if progress.total_bytes:
        return min(100.0, 100.0 * progress.done_bytes / progress.total_bytes)
    return min(100.0, 100.0 * progress.done_files / progress.total_files) if progress.total_files else 0.0


async def _create(key: str, what: str, percent: float) -> UUID:
    created: UUID = await acreate_progress_artifact(
        progress=percent, key=artifact_key(key, what), description=f"{what.capitalize()} {key}"
    )
    return created


def artifact_key(key: str, what: str) -> str:
    """Return a key that Prefect accepts: lower case, digits and dashes."""
    return f"{what}-{slug(key)}".lower().replace(".", "-").replace("_", "-")


def _consume(moving: asyncio.Future[R]) -> None:
    """Take the outcome of a transfer that nobody waits for any more."""
    if not moving.cancelled():
        moving.exception()
