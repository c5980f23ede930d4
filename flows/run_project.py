"""Run one entry point of an MLflow project on a site."""

from __future__ import annotations

import re
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

import mantik_tasks
from blocks import ComputeBackend, MlflowTracking
from mantik_tasks import RunResult, cancel_jobs


def _titled(title: str) -> Any:
    """Return a title for the run form; Prefect would show the argument's name."""
    return Field(json_schema_extra={"title": title})


def _name() -> str:
    """Return a flow run's name; a password in a URL, which is refused later, must not be in it."""
    parameters = flow_run.parameters
    return f"{re.sub(r'//[^/]*@', '//', parameters['project'])} {parameters['entry_point']}"


@flow(name="run-project", flow_run_name=_name, on_cancellation=[cancel_jobs])
async def run_project(
    project: Annotated[str, _titled("Project")],
    entry_point: Annotated[str, _titled("Entry point")] = "main",
    parameters: Annotated[dict[str, Any] | None, _titled("Parameters")] = None,
    config: Annotated[str, _titled("Compute Backend Config")] = "",
    backend: Annotated[ComputeBackend | None, _titled("Compute backend")] = None,
    tracking: Annotated[MlflowTracking | None, _titled("MLflow tracking")] = None,
    label: Annotated[str, _titled("Label")] = "",
    fetch: Annotated[list[str] | None, _titled("Files to fetch")] = None,
    results: Annotated[str, _titled("Folder for fetched files")] = "",
) -> RunResult:
    """Run one entry point of an MLflow project on a site.

    The project is validated, staged, submitted as a job, watched, fetched and tracked. When this flow
    run dies and is run again, it finds its job and goes on; when it is cancelled, so is the job.

    Args:
        project: Folder on the worker's machine, or git URL: https://…/repo.git@REF#sub/dir.
        entry_point: Name of the entry point in the MLproject file.
        parameters: Values for the entry point's parameters, by name. What is left out keeps its default.
        config: Compute Backend Config to use, relative to the project. By default the project's
            compute-backend-config.yaml.
        backend: Block that says where to run; merged under the project's config. A config with Local
            needs none.
        tracking: Block that says where the run is tracked. Without one it is not tracked.
        label: Name of this run in its run key. By default the entry point's name and an ordinal.
        fetch: Files to fetch besides the log, in the words of gitignore, such as outputs/ or *.png.
        results: Folder or URL for the fetched files. By default a folder named after the attempt, in
            ~/mantik-results on the worker's machine.
    """
    return await mantik_tasks.run_project(
        project,
        entry_point=entry_point,
        parameters=parameters,
        config=config or None,
        source=backend,
        tracking=tracking,
        label=label or None,
        fetch=fetch or (),
        results=results or None,
    )
