"""Read a Compute Backend Config: from a file or from Python, under it the keys of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mantik_tasks.config.advice import advised
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.exclude import with_gitignore_patterns
from mantik_tasks.config.json_source import parse_json
from mantik_tasks.config.legacy import modernised
from mantik_tasks.config.merge import merged
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.config.node import Node, node_of
from mantik_tasks.config.report import Place, Report, as_lines
from mantik_tasks.config.rules import check_rules
from mantik_tasks.config.validation import validate
from mantik_tasks.config.yaml_source import parse_yaml
from mantik_tasks.errors import ConfigError

ACCOUNT_VARIABLE = "MANTIK_COMPUTE_BUDGET_ACCOUNT"
LARGEST_FILE_BYTES = 1024 * 1024

_PARSERS = {".yaml": parse_yaml, ".yml": parse_yaml, ".json": parse_json}


@dataclass(frozen=True)
class Document:
    """A config as it was written.

    Attributes:
        name: What messages call it.
        root: Its keys and values, each with its line.
    """

    name: str
    root: Node


@dataclass(frozen=True)
class LoadedConfig:
    """A config that can be run.

    Attributes:
        config: The config with a block's defaults merged under it.
        warnings: What a person should know, though it stops nothing; one line each.
    """

    config: ComputeBackendConfig
    warnings: tuple[str, ...]


def read_document(path: Path, *, name: str) -> Document:
    """Read a config file.

    Args:
        path: The file, `.yaml`, `.yml` or `.json`.
        name: What messages call it, for example its path in the project.

    Raises:
        ConfigError: If it can't be read as what its suffix says.
    """
    parser = _PARSERS.get(path.suffix.lower())
    if parser is None:
        raise ConfigError(f"{name}: a config file ends in .yaml, .yml or .json")
    return _document(parser(_text(path, name), name), name)


def document_from_mapping(mapping: Mapping[str, object], *, name: str = "config") -> Document:
    """Take a config that Python code gives, with the keys of a file.

    Raises:
        ConfigError: If it holds what no file could.
    """
    return _document(node_of(mapping, name), name)


def load_config(
    document: Document | None, defaults: ConfigDefaults, *, environ: Mapping[str, str]
) -> LoadedConfig:
    """Return the config that a document and a block's defaults make together.

    Args:
        document: The project's config; none if the block says it all.
        defaults: The keys that a block supplies.
        environ: Environment variables; the account may come from there.

    Raises:
        ConfigError: With every problem, in the order of the lines.
    """
    report = Report()
    root = document.root if document else Node({}, Place("config"))
    root = _with_account(_prepared(root, report), environ)
    root = merged(root, _prepared(node_of(defaults.keys, defaults.name), report), report)
    root = with_gitignore_patterns(root, report)
    root = advised(root, report)
    check_rules(root, report)
    config = validate(root, report)
    report.raise_problems()
    assert config is not None  # noqa: S101 - validate() has reported a problem if there is none
    return LoadedConfig(config, as_lines(report.warnings))


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{name}: can't be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise ConfigError(f"{name}: is too large: a config has at most {LARGEST_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: is not UTF-8 text") from error


def _document(root: Node, name: str) -> Document:
    if root.value is None:
        raise ConfigError(f"{name}: is empty: name at least a backend, such as Local")
    if not isinstance(root.value, dict):
        raise ConfigError(f"{name}: must be a mapping of keys such as Resources and Environment")
    return Document(name, root)


def _prepared(root: Node, report: Report) -> Node:
    """Return one document's tree in the one spelling that the later steps know."""
    root = modernised(root.without("$schema"), report)
    for key in ("Local", "Slurm"):
        node = root.at(key)
        if node and node.value is None:
            root = root.put((key,), Node({}, node.place))
    return root


def _with_account(root: Node, environ: Mapping[str, str]) -> Node:
    """Put the account of the environment where the file names none, so that it wins over a block's."""
    account = environ.get(ACCOUNT_VARIABLE)
    if not account or "Account" in root.entries:
        return root
    return root.put(("Account",), Node(account, Place(ACCOUNT_VARIABLE)))
