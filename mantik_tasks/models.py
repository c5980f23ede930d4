"""What travels between the tasks of a run. Nothing here holds a secret."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.frozen import FrozenModel


class Project(FrozenModel):
    """A project as it was when the run was asked for.

    Attributes:
        source: What the person named: a folder or a git URL.
        directory: Folder on this machine that holds `MLproject`.
        name: The project's name in its `MLproject` file, else its folder's.
        commit: Full git commit, if the folder is in a git repository.
        dirty: Whether files differed from that commit.
    """

    source: str
    directory: str
    name: str
    commit: str | None = None
    dirty: bool = False


class StagedInput(FrozenModel):
    """A `path` parameter's file or folder that travels with the project.

    Attributes:
        parameter: Name of the parameter.
        url: Where the data is: a local path or any URL that fsspec can read.
        path: Where it goes, relative to the run directory.
    """

    parameter: str
    url: str
    path: str


class RunSpec(FrozenModel):
    """Everything that decides what a run does; validated.

    Attributes:
        project: The project.
        entry_point: Name of the entry point.
        parameters: Its parameters as text, defaults included.
        command: The entry point's command for a shell, every value quoted. The only thing left to
            expand in values is `$MANTIK_WORKING_DIRECTORY`, in front of staged paths.
        inputs: Data that is staged because a `path` parameter names it.
        config: The Compute Backend Config with a block's defaults merged under it.
        config_source: File the config came from, relative to the project where it lies in it.
        image: Path of the Apptainer image to upload, on this machine, if the config has one.
        warnings: What a person should know, though it stops nothing.
    """

    project: Project
    entry_point: str
    parameters: dict[str, str] = Field(default_factory=dict)
    command: str
    inputs: tuple[StagedInput, ...] = ()
    config: ComputeBackendConfig
    config_source: str
    image: str | None = None
    warnings: tuple[str, ...] = ()


class JobScript(FrozenModel):
    """The texts that run on the site; a pure function of a `RunSpec`.

    Attributes:
        job: The job script.
        login_pre_run: Script for the login node before submission, if there is anything to do.
        login_post_run: Script for the login node after success, if there is anything to do.
        job_description: UNICORE's job description, on UNICORE.
    """

    job: str
    login_pre_run: str | None = None
    login_post_run: str | None = None
    job_description: str | None = None


class Intent(FrozenModel):
    """What is written on the site before anything is submitted.

    Attributes:
        created_at: When the attempt was opened, by our clock.
        spec: What to run.
        script: How.
    """

    created_at: datetime
    spec: RunSpec
    script: JobScript
