"""The section `Environment`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mantik_tasks.config.section import OURS, WITH_LOGIN_NODE, Section
from mantik_tasks.config.values import AbsolutePath, AnyCase, CommandList, Text, TextList, TextMap


class ImageType(StrEnum):
    """Where an Apptainer image is before the run."""

    LOCAL = "local"
    REMOTE = "remote"


class Launcher(StrEnum):
    """What starts the main command on the compute node."""

    SRUN = "srun"
    NONE = "none"


class Apptainer(Section):
    """Run the entry point in an Apptainer image."""

    # Type stands before Path because what a path may be depends on it.
    type: Annotated[ImageType, AnyCase()] = Field(
        ImageType.LOCAL,
        alias="Type",
        description="local: the image is uploaded with the project; remote: it is on the site already.",
        examples=["remote"],
    )
    path: Text = Field(
        alias="Path",
        description="The image file: relative to the project (local), or absolute on the site (remote).",
        examples=["/p/project/images/torch.sif"],
    )
    options: CommandList = Field(
        (),
        alias="Options",
        description="Options for `apptainer run`. $VAR and $(command) are expanded on the compute node.",
        examples=[["--nv", "-B /data:/data"]],
    )

    @field_validator("path")
    @classmethod
    def _absolute_if_remote(cls, path: str, info: ValidationInfo) -> str:
        if info.data.get("type") is ImageType.REMOTE and not path.startswith(("/", "$")):
            raise ValueError("must be absolute, or begin with $VAR, because Type is remote")
        return path

    @property
    def staged_path(self) -> str:
        """Where an uploaded image lies in the run directory: as in the project, else at the top."""
        path = PurePosixPath(self.path)
        return path.name if path.is_absolute() else str(path)


class PythonVenv(Section):
    """Run the entry point in a Python virtual environment that is on the site. A lone text is its path."""

    path: AbsolutePath = Field(
        alias="Path",
        description="Absolute path of the virtual environment on the site.",
        examples=["$HOME/venvs/torch"],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_lone_path(cls, value: object) -> object:
        return {"Path": value} if isinstance(value, str) else value


class Environment(Section):
    """What surrounds the entry point."""

    apptainer: Apptainer | None = Field(
        None, alias="Apptainer", description="An Apptainer image to run the entry point in."
    )
    python: PythonVenv | None = Field(
        None,
        alias="Python",
        description="A Python virtual environment to activate. A lone text is its path.",
    )
    modules: TextList = Field(
        (),
        alias="Modules",
        description="Environment modules to load, in this order.",
        examples=[["CUDA/12", "Python/3.11.3"]],
    )
    variables: TextMap = Field(
        default_factory=dict,
        alias="Variables",
        description="Variables of the job. $VAR, ${VAR} and $(command) are expanded on the compute node.",
        examples=[{"OMP_NUM_THREADS": "12"}],
    )
    pre_run_on_login_node: CommandList = Field(
        (),
        alias="PreRunCommandOnLoginNode",
        description="Commands to run on the login node before submission.",
        examples=["git -C $HOME/data pull"],
        json_schema_extra=WITH_LOGIN_NODE,
    )
    pre_run_on_compute_node: CommandList = Field(
        (),
        alias="PreRunCommandOnComputeNode",
        description="Commands to run on the compute node before the entry point.",
        examples=[["ulimit -n 4096", "nvidia-smi"]],
    )
    post_run_on_compute_node: CommandList = Field(
        (),
        alias="PostRunCommandOnComputeNode",
        description="Commands to run on the compute node after the entry point succeeded.",
        examples=["du -sh ."],
    )
    post_run_on_login_node: CommandList = Field(
        (),
        alias="PostRunCommandOnLoginNode",
        description="Commands to run on the login node after the job succeeded.",
        examples=["cp -r results $HOME/results"],
        json_schema_extra=WITH_LOGIN_NODE,
    )
    launcher: Annotated[Launcher, AnyCase()] | None = Field(
        None,
        alias="Launcher",
        description="What starts the entry point; by default srun for Apptainer on Slurm.",
        examples=["none"],
        json_schema_extra=OURS,
    )
