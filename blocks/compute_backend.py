"""The block that says where projects run."""

from __future__ import annotations

import os
from typing import Any, Literal
from uuid import UUID

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue

from blocks.logo import LOGO_URL
from mantik_tasks.backends.base import Backend
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.errors import ConfigError

Kind = Literal["local", "slurm", "ssh", "unicore"]
Tracking = Literal["online", "offline"]


class ResourceDefaults(BaseModel):
    """What jobs ask for unless their project says otherwise. Empty and 0 leave it to the project."""

    model_config = ConfigDict(extra="forbid", title="Resources")

    queue: str = Field("", title="Queue", description="Queue or partition.")
    runtime: str = Field(
        "",
        title="Runtime",
        description="Longest time a job may run: 90s, 30m, 1h30m, 12h, 1d, HH:MM:SS or D-HH:MM:SS.",
    )
    nodes: int = Field(0, ge=0, title="Nodes", description="Number of nodes.")
    cpus_per_node: int = Field(0, ge=0, title="CPUs per node", description="CPUs of each node.")
    gpus_per_node: int = Field(0, ge=0, title="GPUs per node", description="GPUs of each node.")
    memory_per_node: str = Field(
        "", title="Memory per node", description="Memory of each node: 4096 (MiB), 10G or 12GiB."
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
        return {name: value for name, value in keys.items() if value}


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
        description="How the site is reached: local, slurm on the worker's host, ssh and unicore from afar.",
    )
    host: str = Field(
        "", title="Host", description="Host name of a login node (ssh), or URL of the REST API (unicore)."
    )
    port: int = Field(22, ge=1, le=65535, title="Port", description="Port of the SSH server.")
    base_directory: str = Field(
        "~",
        title="Base directory",
        description="Folder on the site in which run directories are made, under mantik-runs.",
    )
    max_concurrent_jobs: int = Field(
        0,
        ge=0,
        title="Jobs at once",
        description="How many jobs of the local backend run at once; the others wait. 0 is one for each CPU.",
    )
    account: str = Field("", title="Account", description="Compute budget that jobs are charged to.")
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
        "online",
        title="Tracking",
        description="How jobs reach the tracking server; this version can run online only.",
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
        if self.kind != "local":
            raise ConfigError(
                f"{self._name}: the {self.kind} backend is not there yet; this version runs on local"
            )
        limit = self.max_concurrent_jobs or os.cpu_count() or 1
        return LocalConnection(base_directory=self.base_directory, max_concurrent_jobs=limit).connect()

    def config_defaults(self) -> ConfigDefaults:
        """Return what this block supplies as keys of a Compute Backend Config."""
        filled_in: dict[str, Any] = {
            "Account": self.account,
            "Resources": self.resources.keys(),
            "Environment": {"Modules": self.modules} if self.modules else {},
            "Tracking": self.tracking,
        }
        keys = {name: value for name, value in filled_in.items() if value}
        return ConfigDefaults(name=self._name, keys={**self._site_keys(), **keys})

    def _site_keys(self) -> dict[str, JsonValue]:
        match self.kind:
            case "local":
                return {"Local": {}}
            case "slurm":
                return {"Slurm": {}}
            case "ssh":
                return {"SSH": {"Hostname": self.host, "Port": self.port}}
            case "unicore":
                return {"UnicoreApiUrl": self.host}

    @property
    def _name(self) -> str:
        return f"block {self._block_document_name}" if self._block_document_name else "compute backend block"
