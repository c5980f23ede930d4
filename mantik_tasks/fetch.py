"""The task that brings results home."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import fsspec
from fsspec import available_protocols
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from mantik_tasks.backends.base import LOG_FILE, BackendSource, JobHandle, TransferProgress
from mantik_tasks.errors import ConfigError, TransferError
from mantik_tasks.results import RunResult
from mantik_tasks.retries import RETRIES, RETRY_SECONDS, is_transient
from mantik_tasks.sites import Site, site_of
from mantik_tasks.transfer import watched

RESULTS_FOLDER = "~/mantik-results"
_LOGS = (f"/{LOG_FILE}", "/mantik-login.log")


@task(
    name="fetch-artifacts",
    task_run_name="fetch-artifacts {handle.key}",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_transient,
)
async def fetch_artifacts(
    handle: JobHandle, source: BackendSource, patterns: Sequence[str] = (), *, target: str | None = None
) -> RunResult:
    """Bring a job's log home, and the files that match patterns, whether the job went well or not.

    Args:
        handle: The job.
        source: What leads to the site.
        patterns: Files to fetch from the run directory, in the words of gitignore: `outputs/`, `*.png`.
        target: Folder, or any URL that fsspec can write to. By default `~/mantik-results/<attempt>`.

    Returns:
        The result, with the job's status and the files.

    Raises:
        TransferError: If a file did not arrive whole.
    """
    site = await site_of(source)
    location = target or f"{RESULTS_FOLDER}/{handle.key}"
    wanted = (*_LOGS, *patterns)
    if "://" in location and not location.startswith(("file://", "local://")):
        with tempfile.TemporaryDirectory(prefix="mantik-results-") as temporary:
            files = await _fetch(site, handle, wanted, Path(temporary))
            await asyncio.to_thread(_upload, Path(temporary), files, location)
    else:
        folder = _local_folder(location)
        location = str(folder)
        files = await _fetch(site, handle, wanted, folder)
    status = (await site.call(site.backend.statuses, [handle]))[handle]
    get_run_logger().info("Fetched %d files into %s", len(files), location)
    # A name may hold bytes that are no text; it is shown as well as it can be.
    shown = tuple(os.fsencode(name).decode("utf-8", "replace") for name in files)
    return RunResult(handle=handle, status=status, location=location, files=shown)


def check_location(location: str | None) -> None:
    """Make sure that results can go to a place, as far as its name tells.

    Raises:
        ConfigError: If it is a URL of a kind that fsspec does not know.
    """
    scheme, separator, _ = (location or "").partition("://")
    if separator and scheme.rpartition("::")[2] not in available_protocols():
        raise ConfigError(f"results {location}: fsspec knows no {scheme}://; use a folder, or another URL")


async def _fetch(site: Site, handle: JobHandle, patterns: Sequence[str], folder: Path) -> tuple[str, ...]:
    progress = TransferProgress()
    moving = site.transfer(site.backend.fetch, handle, patterns, folder, progress)
    return await watched(progress, moving, key=handle.key, what="fetching")


def _local_folder(location: str) -> Path:
    return Path(location.partition("://")[2] or location).expanduser().absolute()


def _upload(folder: Path, files: Sequence[str], location: str) -> None:
    try:
        filesystem, root = fsspec.url_to_fs(location)
        for name in files:
            destination = f"{root.rstrip('/')}/{name}"
            filesystem.makedirs(destination.rpartition("/")[0], exist_ok=True)
            filesystem.put_file(str(folder / name), destination)
    except Exception as error:  # each of fsspec's many stores has errors of its own
        raise TransferError(f"{location}: the results can't be written there: {error}") from error
