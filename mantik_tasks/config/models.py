"""The Compute Backend Config: where and how a project runs.

The schema is Mantik's; what we added is marked so. Attributes have our names, with units; aliases
are the keys of the file, and the only names a file may use.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mantik_tasks.config.environment import Apptainer, Environment, ImageType, Launcher, PythonVenv
from mantik_tasks.config.resources import Resources
from mantik_tasks.config.section import BY_SCHEDULERS, OURS, Section
from mantik_tasks.config.sites import FirecrestSite, LocalSite, SlurmSite, SshSite
from mantik_tasks.config.values import AnyCase, Text, TextList, Url

__all__ = [
    "Apptainer",
    "BackendKind",
    "ComputeBackendConfig",
    "Environment",
    "FirecrestSite",
    "ImageType",
    "Launcher",
    "LocalSite",
    "PythonVenv",
    "Resources",
    "Section",
    "SlurmSite",
    "SshSite",
    "TrackingMode",
]


class BackendKind(StrEnum):
    """The ways to reach a site."""

    LOCAL = "local"
    SLURM = "slurm"
    UNICORE = "unicore"
    FIRECREST = "firecrest"


class TrackingMode(StrEnum):
    """How the job reaches MLflow."""

    ONLINE = "online"
    OFFLINE = "offline"


class ComputeBackendConfig(Section):
    """Where and how a project runs. Exactly one backend is named."""

    unicore_api_url: Url | None = Field(
        None,
        alias="UnicoreApiUrl",
        description="URL of the site's UNICORE REST API.",
        examples=["https://unicore.example.org:8080/SITE/rest/core"],
        json_schema_extra={"x-used-by": "UnicoreApiUrl"},
    )
    firecrest: FirecrestSite | None = Field(
        None,
        alias="Firecrest",
        description="A site behind firecREST.",
        json_schema_extra={"x-used-by": "Firecrest"},
    )
    ssh: SshSite | None = Field(
        None, alias="SSH", description="Slurm behind SSH.", json_schema_extra={"x-used-by": "SSH"}
    )
    slurm: SlurmSite | None = Field(
        None,
        alias="Slurm",
        description="Slurm on this host.",
        examples=[{}],
        json_schema_extra=OURS | {"x-used-by": "Slurm"},
    )
    local: LocalSite | None = Field(
        None,
        alias="Local",
        description="Plain processes on this host.",
        examples=[{}],
        json_schema_extra=OURS | {"x-used-by": "Local"},
    )
    account: Text | None = Field(
        None,
        alias="Account",
        description="Compute budget to charge; else MANTIK_COMPUTE_BUDGET_ACCOUNT, else the block's.",
        examples=["hpc-project"],
        json_schema_extra=OURS | BY_SCHEDULERS,
    )
    resources: Resources = Field(
        default_factory=Resources, alias="Resources", description="What the job asks of the scheduler."
    )
    environment: Environment = Field(
        default_factory=Environment, alias="Environment", description="What surrounds the entry point."
    )
    tracking: Annotated[TrackingMode, AnyCase()] = Field(
        TrackingMode.ONLINE,
        alias="Tracking",
        description="online: the job logs to the tracking server. offline can not be run yet.",
        examples=["offline"],
        json_schema_extra=OURS,
    )
    exclude: TextList = Field(
        (),
        alias="Exclude",
        description="Files that stay at home, in the words of gitignore, relative to the project.",
        examples=[["*.sif", "data/", "!data/small.csv"]],
    )

    @property
    def backend(self) -> BackendKind:
        """The backend that is named."""
        if self.unicore_api_url is not None:
            return BackendKind.UNICORE
        if self.firecrest is not None:
            return BackendKind.FIRECREST
        return BackendKind.LOCAL if self.local is not None else BackendKind.SLURM
