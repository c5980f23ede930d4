"""The `MLproject` file, read with MLflow's own loader.

MLflow's loader is private to MLflow, though every project backend uses it; this is the only module
that touches it, and `tests/unit/project/test_mlproject.py` notices when it changes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlflow.exceptions import MlflowException
from mlflow.projects import _project_spec

from mantik_tasks.config.yaml_source import parse_yaml
from mantik_tasks.errors import ConfigError

_LARGEST_BYTES = 1024 * 1024
_ENVIRONMENT_KEYS = ("python_env", "conda_env", "docker_env")


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; without a default it is required."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class EntryPoint:
    """An entry point as MLflow understands it.

    Attributes:
        declared: Its parameters by name.
        implicit: Whether it is a script of the project rather than an entry in the file.
    """

    name: str
    declared: Mapping[str, Parameter]
    implicit: bool
    _mlflow: Any

    def command(self, values: Mapping[str, str]) -> str:
        """Return MLflow's command for these values.

        Raises:
            ConfigError: If the command or a value is not what MLflow accepts.
        """
        try:
            command: str = self._mlflow.compute_command(dict(values), None)
        except MlflowException as error:
            raise ConfigError(f"entry point {self.name}: {error.message}") from error
        except KeyError as error:
            raise ConfigError(
                f"entry point {self.name}: its command uses {{{error.args[0]}}}, which is not among its "
                f"parameters ({_names(self.declared)}); declare it, or double the braces to keep them"
            ) from error
        except (ValueError, IndexError, AttributeError) as error:
            raise ConfigError(
                f"entry point {self.name}: its command holds braces that name no parameter ({error}); "
                "double them to keep them: ${{VAR}}"
            ) from error
        return command.strip()


@dataclass(frozen=True)
class MLproject:
    """A project's `MLproject` file.

    Attributes:
        file: The file.
        name: The project's name, if the file tells one.
        entry_points: Names of the entry points in the file.
        unused: Environment keys of the file, which the Compute Backend Config rules instead.
    """

    file: Path
    name: str | None
    entry_points: tuple[str, ...]
    unused: tuple[str, ...]
    _mlflow: Any

    def entry_point(self, name: str) -> EntryPoint:
        """Return an entry point, or a script of the project as one, as MLflow does.

        Raises:
            ConfigError: If there is none of that name.
        """
        implicit = name not in self.entry_points
        if implicit and not self._has_script(name):
            raise ConfigError(
                f"{self.file.name}: there is no entry point {name!r}; "
                f"choose one of {_names(self.entry_points)}, or a .py or .sh file of the project"
            )
        entry_point = self._mlflow.get_entry_point(name)
        declared = {
            parameter.name: Parameter(
                parameter.name,
                str(parameter.type or "string"),
                None if parameter.default is None else str(parameter.default),
            )
            for parameter in entry_point.parameters.values()
        }
        return EntryPoint(name, declared, implicit, entry_point)

    def _has_script(self, name: str) -> bool:
        folder = self.file.parent.resolve()
        script = (folder / name).resolve()
        return Path(name).suffix in (".py", ".sh") and script.is_relative_to(folder) and script.is_file()


def load_mlproject(directory: Path) -> MLproject:
    """Read the `MLproject` file of a project.

    Raises:
        ConfigError: If it is missing, empty or not what MLflow accepts.
    """
    file = _find(directory)
    text = _read(file)
    parse_yaml(text, file.name)  # tells line and column, and refuses what would take for ever
    data = yaml.safe_load(text)
    if not isinstance(data, dict) or not data.get("entry_points"):
        raise ConfigError(
            f"{file.name}: declares no entry points; write entry_points: with a command for each "
            "(https://mlflow.org/docs/latest/ml/projects)"
        )
    problems = _structure_problems(file.name, data)
    if problems:
        raise ConfigError(problems)
    unused = tuple(key for key in _ENVIRONMENT_KEYS if key in data)
    project = _load_with_mlflow(file.name, _without_gaps(data))
    return MLproject(file, _text(data.get("name")), tuple(map(str, data["entry_points"])), unused, project)


def _find(directory: Path) -> Path:
    if not directory.is_dir():
        raise ConfigError(f"project {directory}: there is no such folder")
    try:
        found = [path for path in directory.iterdir() if path.name.lower() == "mlproject" and path.is_file()]
    except OSError as error:
        raise ConfigError(f"project {directory}: can't be read: {error.strerror}") from error
    if not found:
        raise ConfigError(
            f"project {directory}: holds no MLproject file; write one, or name the folder that has it"
        )
    return found[0]


def _read(file: Path) -> str:
    if not file.resolve().is_relative_to(file.parent.resolve()):
        raise ConfigError(f"{file.name}: is a link that leads out of the project; put the file itself there")
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise ConfigError(f"{file.name}: is larger than {_LARGEST_BYTES} bytes; that can't be meant")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file.name}: is not UTF-8 text; save it as such") from error


def _structure_problems(name: str, data: dict[Any, Any]) -> list[str]:
    """Return what MLflow's loader would stumble over without saying where."""
    environments = [key for key in _ENVIRONMENT_KEYS if key in data]
    if len(environments) > 1:
        return [f"{name}: has {' and '.join(environments)}; MLflow allows one of them"]
    if not isinstance(data["entry_points"], dict):
        return [f"{name}: entry_points must map names to commands"]
    problems = []
    for entry_point, body in data["entry_points"].items():
        where = f"{name}: entry_points.{entry_point}"
        if not isinstance(body, dict):
            problems.append(f"{where}: must hold a command, and parameters if it has any")
            continue
        if not isinstance(body.get("command"), str) or not body["command"].strip():
            problems.append(f"{where}.command: must be the text of a command")
        parameters = body.get("parameters")
        if not isinstance(parameters, dict | None):
            problems.append(f"{where}.parameters: must map names to types, or to a type and a default")
            continue
        problems += [
            f"{where}.parameters.{parameter}: must be a type, or {{type: …, default: …}}"
            for parameter, declaration in (parameters or {}).items()
            if not isinstance(declaration, str | dict)
        ]
    return problems


def _without_gaps(data: dict[Any, Any]) -> dict[Any, Any]:
    """Fill in what the loader can't do without, and drop the environment that is not ours to check."""
    entry_points = {
        str(name): {**body, "parameters": body.get("parameters") or {}}
        for name, body in data["entry_points"].items()
    }
    kept = {key: value for key, value in data.items() if key not in _ENVIRONMENT_KEYS}
    return {**kept, "entry_points": entry_points}


def _load_with_mlflow(name: str, data: dict[Any, Any]) -> Any:
    with tempfile.TemporaryDirectory(prefix="mantik-mlproject-") as folder:
        Path(folder, "MLproject").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        try:
            return _project_spec.load_project(folder)  # type: ignore[no-untyped-call] # MLflow's own
        except (MlflowException, AttributeError, TypeError, KeyError, ValueError) as error:
            raise ConfigError(f"{name}: MLflow does not accept it: {error}") from error


def _names(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "none"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
