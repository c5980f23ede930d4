"""The task that checks what a person wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import JsonValue

from mantik_tasks.backends.base import BackendSource
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.project.spec import make_spec


@task(name="validate-config", task_run_name="validate-config {entry_point}", cache_policy=NO_CACHE)
async def validate_config(
    project: str,
    *,
    entry_point: str = "main",
    parameters: Mapping[str, JsonValue] | None = None,
    config: str | Mapping[str, JsonValue] | None = None,
    source: BackendSource | None = None,
) -> RunSpec:
    """Check a project, its config and its parameters; contacts no site.

    Args:
        project: A folder on this machine, or a git URL: `https://…/repo.git@REF#sub/dir`.
        entry_point: Name of the entry point in the `MLproject` file.
        parameters: Values for the entry point's parameters.
        config: The Compute Backend Config: a file, relative to the project, or its keys. By default
            the project's `compute-backend-config.yaml`, `.yml` or `.json`.
        source: What leads to the site; its defaults are merged under the config.

    Returns:
        What is to be run.

    Raises:
        ConfigError: With every problem, with file and line.
    """
    logger = get_run_logger()
    try:
        spec = await asyncio.to_thread(
            make_spec,
            project,
            entry_point=entry_point,
            parameters=parameters,
            config=config,
            defaults=None if source is None else source.config_defaults(),
        )
    except ConfigError as error:
        for problem in error.problems:
            logger.error(problem)
        raise
    for warning in spec.warnings:
        logger.warning(warning)
    logger.info("%s: entry point %s on %s", spec.project.name, entry_point, spec.config.backend)
    return spec
