"""From what a person asked for to a `RunSpec`, or every problem with it at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import BackendKind, ImageType
from mantik_tasks.config.reader import (
    Document,
    LoadedConfig,
    document_from_mapping,
    load_config,
    read_document,
)
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import Project, RunSpec
from mantik_tasks.project.files import ProjectFile, project_files
from mantik_tasks.project.mlproject import MLproject, load_mlproject
from mantik_tasks.project.parameters import ResolvedCommand, resolve_command
from mantik_tasks.project.scan import tracking_warnings
from mantik_tasks.project.source import ProjectFolder, open_project

CONFIG_FILES = ("compute-backend-config.yaml", "compute-backend-config.yml", "compute-backend-config.json")

T = TypeVar("T")


class _Problems(list[str]):
    """Collects the problems of steps that don't need each other."""

    def collect(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except ConfigError as error:
            self.extend(error.problems)
            return None


def make_spec(
    project: str,
    *,
    entry_point: str = "main",
    parameters: Mapping[str, JsonValue] | None = None,
    config: str | Mapping[str, JsonValue] | None = None,
    defaults: ConfigDefaults | None = None,
) -> RunSpec:
    """Return what is to be run.

    Blocking. Reads the project's folder, or fetches it from git; contacts no site.

    Args:
        project: A folder or `URL@REF#sub/dir`.
        entry_point: Name of the entry point.
        parameters: Values for its parameters.
        config: The Compute Backend Config: a file, relative to the project, or its keys. By default
            the project's `compute-backend-config.yaml`, `.yml` or `.json`.
        defaults: Keys to merge under the config.

    Raises:
        ConfigError: With all problems.
    """
    folder = open_project(project)
    problems = _Problems()
    source = problems.collect(lambda: _config_document(folder, config, defaults))
    loaded = (
        problems.collect(lambda: load_config(source, defaults or ConfigDefaults(), environ=os.environ))
        if not problems
        else None
    )
    mlproject = problems.collect(lambda: load_mlproject(folder.directory))
    resolved = problems.collect(
        lambda: _resolve(folder, mlproject, loaded, entry_point, parameters or {}) if mlproject else None
    )
    image = problems.collect(lambda: _image(folder, loaded) if loaded else None)
    exclude = loaded.config.exclude if loaded else ()
    files = problems.collect(lambda: project_files(folder.directory, exclude)) if loaded else None
    if problems or loaded is None or mlproject is None or resolved is None or files is None:
        raise ConfigError(problems)
    return RunSpec(
        project=Project(
            source=folder.source,
            directory=str(folder.directory),
            name=mlproject.name or folder.directory.name,
            commit=folder.commit,
            dirty=folder.dirty,
        ),
        entry_point=entry_point,
        parameters=dict(resolved.parameters),
        command=resolved.command,
        inputs=resolved.inputs,
        config=loaded.config,
        config_source=source.name if source else (defaults or ConfigDefaults()).name,
        image=image,
        warnings=_warnings(folder, mlproject, loaded, resolved, files),
    )


def _config_document(
    folder: ProjectFolder, config: str | Mapping[str, JsonValue] | None, defaults: ConfigDefaults | None
) -> Document | None:
    if isinstance(config, Mapping):
        return document_from_mapping(config)
    if config is not None:
        return read_document(_config_path(folder, config), name=config)
    found = [name for name in CONFIG_FILES if (folder.directory / name).is_file()]
    if len(found) > 1:
        raise ConfigError(f"project {folder.source}: has {' and '.join(found)}; name the one to use")
    if found:
        return read_document(_config_path(folder, found[0]), name=found[0])
    if defaults is not None and defaults.keys:
        return None
    raise ConfigError(
        f"project {folder.source}: has no {CONFIG_FILES[0]}; write one, name another file, "
        "or choose a compute backend block that says where to run"
    )


def _config_path(folder: ProjectFolder, config: str) -> Path:
    """Return the file; outside of the project it is only where a person named its absolute path."""
    path = folder.directory / Path(config).expanduser()
    if Path(config).expanduser().is_absolute():
        return path
    if not path.resolve().is_relative_to(folder.directory):
        raise ConfigError(
            f"{config}: lies outside of the project; copy it there, or name it by its absolute path"
        )
    return path


def _resolve(
    folder: ProjectFolder,
    mlproject: MLproject,
    loaded: LoadedConfig | None,
    entry_point: str,
    parameters: Mapping[str, JsonValue],
) -> ResolvedCommand:
    return resolve_command(
        mlproject.entry_point(entry_point),
        parameters,
        directory=folder.directory,
        exclude=loaded.config.exclude if loaded else (),
        trusted=not folder.from_git,
        site_is_here=loaded is not None and loaded.config.backend is BackendKind.LOCAL,
    )


def _image(folder: ProjectFolder, loaded: LoadedConfig) -> str | None:
    """Return the Apptainer image to upload, if there is one."""
    apptainer = loaded.config.environment.apptainer
    if apptainer is None or apptainer.type is ImageType.REMOTE:
        return None
    where = "Environment.Apptainer.Path"
    image = (folder.directory / apptainer.path).resolve()
    inside = image.is_relative_to(folder.directory)
    if not inside and (folder.from_git or not apptainer.path.startswith("/")):
        raise ConfigError(f"{where}: {apptainer.path} lies outside of the project; put the image into it")
    if not image.is_file():
        raise ConfigError(
            f"{where}: there is no file {apptainer.path} on this machine; build it, "
            "or write Type: remote if it is on the site"
        )
    return str(image)


def _warnings(
    folder: ProjectFolder,
    mlproject: MLproject,
    loaded: LoadedConfig,
    resolved: ResolvedCommand,
    files: list[ProjectFile],
) -> tuple[str, ...]:
    warnings = [*loaded.warnings, *resolved.warnings, *tracking_warnings(files)]
    if mlproject.unused:
        warnings.append(
            f"{mlproject.file.name}: {', '.join(mlproject.unused)} is not used; the Compute Backend Config "
            "says in what environment the project runs"
        )
    if folder.dirty:
        warnings.append(
            f"project {folder.source}: has changes that are not committed; "
            f"commit {folder.commit} alone does not reproduce this run"
        )
    if (folder.directory / ".gitmodules").is_file() and folder.from_git:
        warnings.append(f"project {folder.source}: has git submodules, which are not fetched")
    return tuple(warnings)
