"""The way to run jobs on this host."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from mantik_tasks.backends.local.backend import LocalBackend
from mantik_tasks.backends.shared import shared_backend
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.frozen import FrozenModel


class LocalConnection(FrozenModel):
    """Jobs as plain processes on this host.

    Attributes:
        base_directory: Folder below which run directories are made.
        max_concurrent_jobs: How many jobs may run at once; others wait.
    """

    base_directory: str = Field(
        "~",
        title="Base directory",
        description="Folder below which a folder `mantik-runs` holds the run directories.",
        min_length=1,
    )
    max_concurrent_jobs: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        title="Jobs at once",
        description="How many jobs may run at once; others wait. By default one for each CPU.",
        ge=1,
    )

    def connect(self) -> LocalBackend:
        """Return the backend; the same one for equal connections."""
        base = str(Path(self.base_directory).expanduser())
        return shared_backend(self.model_copy(update={"base_directory": base}), _build)

    def config_defaults(self) -> ConfigDefaults:
        """Return the config keys that lead here."""
        return ConfigDefaults(name="local", keys={"Local": {}})


def _build(connection: LocalConnection) -> LocalBackend:
    return LocalBackend(connection.base_directory, connection.max_concurrent_jobs)
