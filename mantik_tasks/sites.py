"""Sites as asynchronous code sees them: blocking backends, called on threads of their own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from mantik_tasks.backends.base import Backend, BackendSource
from mantik_tasks.config.models import BackendKind, ComputeBackendConfig, TrackingMode
from mantik_tasks.errors import BackendError, ConfigError
from mantik_tasks.retries import RETRY_SECONDS
from mantik_tasks.watch import Watcher

AVAILABLE = frozenset({BackendKind.LOCAL})

P = ParamSpec("P")
R = TypeVar("R")

_CALLS_AT_ONCE = 3
_TRANSFERS_AT_ONCE = 1


class Site:
    """A backend and its threads. Transfers have their own, so that they never hold up a status."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, f"{backend.kind}-call")
        self._transfers = ThreadPoolExecutor(_TRANSFERS_AT_ONCE, f"{backend.kind}-transfer")
        self._watchers: dict[asyncio.AbstractEventLoop, Watcher] = {}

    async def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a short call."""
        return await _run(self._calls, partial(function, *args, **kwargs))

    async def call_until_answered(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a short call that may be repeated, for as long as the site can't be reached.

        Raises:
            BackendError: If it fails for a reason that does not pass, or for too long.
        """
        for delay_seconds in RETRY_SECONDS:
            try:
                return await self.call(function, *args, **kwargs)
            except BackendError as error:
                if not error.transient:
                    raise
            await asyncio.sleep(delay_seconds)
        return await self.call(function, *args, **kwargs)

    async def transfer(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call that moves files."""
        return await _run(self._transfers, partial(function, *args, **kwargs))

    def watcher(self) -> Watcher:
        """Return what asks this site for the status of jobs, one for each event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._watchers:
            self._watchers = {
                known: watcher for known, watcher in self._watchers.items() if not known.is_closed()
            }
            self._watchers[loop] = Watcher(self)
        return self._watchers[loop]


_sites: dict[Backend, Site] = {}
_sites_lock = threading.Lock()


async def site_of(source: BackendSource) -> Site:
    """Return the site that a source leads to; one for each backend and process."""
    backend = await asyncio.to_thread(source.connect)
    with _sites_lock:
        if backend not in _sites:
            _sites[backend] = Site(backend)
        return _sites[backend]


async def require_support(config: ComputeBackendConfig, source: BackendSource) -> None:
    """Make sure that this version can run a config, and that a source leads where it wants to run.

    Raises:
        ConfigError: If it leads elsewhere, or something is not there yet.
    """
    if config.backend not in AVAILABLE:
        raise ConfigError(
            f"The {config.backend} backend is not there yet; "
            f"this version runs on {', '.join(sorted(AVAILABLE))}."
        )
    if config.tracking is not TrackingMode.ONLINE:
        raise ConfigError("Tracking: offline is not there yet; this version tracks online.")
    backend = (await site_of(source)).backend
    if backend.kind is not config.backend:
        raise ConfigError(
            f"The config runs on {config.backend}, but {backend.site} is reached by {backend.kind}; "
            "choose a compute backend block for the config's site"
        )


async def _run(executor: ThreadPoolExecutor, function: Callable[[], R]) -> R:
    context = contextvars.copy_context()  # carries the flow run that log records belong to
    return await asyncio.get_running_loop().run_in_executor(executor, context.run, function)
