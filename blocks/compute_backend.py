"""The block that says where projects run."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any
from uuid import UUID

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue

from blocks.logo import LOGO_URL
from mantik_tasks.backends.base import Backend
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.errors import ConfigError


class Kind(StrEnum):
    """The ways to reach a site, as the form offers them."""

    LOCAL = "local"
    SLURM = "slurm"
    SSH = "ssh"
    UNICORE = "unicore"


class Tracking(StrEnum):
    """How jobs reach MLflow, as the form offers it."""

    ONLINE = "online"
    OFFLINE = "offline"


class ResourceDefaults(BaseModel):
    """Resources that jobs ask for unless their project says otherwise."""

    model_config = ConfigDict(extra="forbid")

    queue: str | None = Field(None, title="Queue", description="Queue or partition.")
    runtime: str | None = Field(
        None,
        title="Runtime",
        description="Longest time a job may run: 90s, 30m, 1h30m, 12h, 1d, HH:MM:SS or D-HH:MM:SS.",
    )
    nodes: int | None = Field(None, ge=1, title="Nodes", description="Number of nodes.")
    cpus_per_node: int | None = Field(None, ge=1, title="CPUs per node", description="CPUs of each node.")
    gpus_per_node: int | None = Field(None, ge=0, title="GPUs per node", description="GPUs of each node.")
    memory_per_node: str | None = Field(
        None, title="Memory per node", description="Memory of each node: 4096 (MiB), 10G or 12GiB."
    )

    def keys(self) -> dict[str, JsonValue]:
        """Return these resources as keys of a Compute Backend Config."""
        keys: dict[str, JsonValue] = {
            "Queue": self.queue,
            "Runtime": self.runtime,
            "Nodes": self.nodes,
            "CPUsPerNode": self.cpus_per_node,
            "GPUsPerNode": self.gpus_per_node,
            "MemoryPerNode": self.memory_per_node,
        }
        return {name: value for name, value in keys.items() if value is not None}


class ComputeBackend(Block):
    """Where MLflow projects run: how the site is reached, and what its jobs ask for by default.

    What is filled in here is merged under a project's own Compute Backend Config, so a project need
    not repeat it and may overrule it. Only the site itself is not overruled: a config that names
    another site than its block is refused.

    Example:
        Run a project where a stored block says:
        ```python
        from blocks import ComputeBackend
        from mantik_tasks import run_project
        from prefect import flow

        @flow
        async def train():
            backend = await ComputeBackend.aload("BLOCK_NAME")
            return await run_project("examples/wine", entry_point="train", source=backend)
        ```

        Or from code that is not asynchronous:
        ```python
        from blocks import ComputeBackend

        backend = ComputeBackend.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Compute Backend"
    _block_type_slug = "compute-backend"
    _logo_url = LOGO_URL
    _documentation_url = HttpUrl("https://mlflow.org/docs/latest/ml/projects/")

    # Without one required field Prefect's run form can't tell a reference to a block from a block.
    kind: Kind = Field(
        title="Backend",
        description="How the site is reached: local and slurm on the worker's host, ssh and unicore from afar.",
    )
    host: str | None = Field(
        None, title="Host", description="Host name of a login node (ssh), or URL of the REST API (unicore)."
    )
    port: int | None = Field(
        None, ge=1, le=65535, title="Port", description="Port of the SSH server, if it is not 22."
    )
    base_directory: str = Field(
        "~",
        title="Base directory",
        description="Folder on the site in which run directories are made, under mantik-runs.",
    )
    max_concurrent_jobs: int = Field(
        os.cpu_count() or 1,
        ge=1,
        title="Jobs at once",
        description="How many jobs of the local backend run at once; the others wait.",
    )
    account: str | None = Field(None, title="Account", description="Compute budget that jobs are charged to.")
    resources: ResourceDefaults = Field(
        default_factory=ResourceDefaults,
        title="Resources",
        description="What jobs ask for unless their project says otherwise.",
    )
    modules: list[str] = Field(
        default_factory=list,
        title="Modules",
        description="Environment modules to load, unless the project names its own.",
    )
    tracking: Tracking = Field(
        Tracking.ONLINE,
        title="Tracking",
        description="Online if jobs can reach the tracking server, offline if compute nodes have no network.",
    )

    @property
    def document_id(self) -> UUID | None:
        """Id under which this block is saved, if it is."""
        return self._block_document_id

    def connect(self) -> Backend:
        """Return the backend that leads to the site.

        Raises:
            ConfigError: If this version can't reach such a site.
        """
        if self.kind is not Kind.LOCAL:
            raise ConfigError(
                f"{self._name}: the {self.kind} backend is not there yet; this version runs on local"
            )
        return LocalConnection(
            base_directory=self.base_directory, max_concurrent_jobs=self.max_concurrent_jobs
        ).connect()

    def config_defaults(self) -> ConfigDefaults:
        """Return what this block supplies as keys of a Compute Backend Config."""
        keys: dict[str, Any] = {
            **self._site_keys(),
            "Account": self.account,
            "Resources": self.resources.keys(),
            "Environment": {"Modules": self.modules} if self.modules else {},
            "Tracking": self.tracking.value,
        }
        return ConfigDefaults(name=self._name, keys={name: value for name, value in keys.items() if value})

    def _site_keys(self) -> dict[str, JsonValue]:
        match self.kind:
            case Kind.LOCAL:
                return {"Local": {}}
            case Kind.SLURM:
                return {"Slurm": {}}
            case Kind.SSH:
                port: dict[str, JsonValue] = {} if self.port is None else {"Port": self.port}
                return {"SSH": {"Hostname": self.host or "", **port}}
            case Kind.UNICORE:
                return {"UnicoreApiUrl": self.host or ""}

    @property
    def _name(self) -> str:
        return f"block {self._block_document_name}" if self._block_document_name else "compute backend block"
