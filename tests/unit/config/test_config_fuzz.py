"""Whatever is read either loads or is a `ConfigError`; whatever is valid survives every way of writing it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.config.reader import document_from_mapping, load_config, read_document
from mantik_tasks.errors import ConfigError

SUFFIXES = (".yaml", ".json")
# One folder serves all examples of a test: each example writes the file anew.
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: text.isprintable() and bool(text.strip())
)
several_lines = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x85\u2028\u2029\r"), min_size=1
)
commands = several_lines.filter(lambda text: bool(text.strip()))
counts = st.integers(1, 2**31 - 1)
names = st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True).filter(
    lambda name: not name.startswith("MLFLOW")
)
configs: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"Slurm": st.just({})},
    optional={
        "Account": texts,
        "Resources": st.fixed_dictionaries(
            {},
            optional={
                "Queue": texts,
                "Runtime": st.builds("{}h{}m".format, st.integers(1, 99), st.integers(0, 99)),
                "Nodes": counts,
                "MemoryPerNode": counts | st.builds("{}GiB".format, st.integers(1, 999)),
                "Exclusive": st.booleans(),
                "ExtraOptions": st.lists(texts),
            },
        ),
        "Environment": st.fixed_dictionaries(
            {},
            optional={
                "Variables": st.dictionaries(names, several_lines | st.just("")),
                "Modules": texts | st.lists(texts),
                "PreRunCommandOnLoginNode": commands | st.lists(commands),
                "Apptainer": st.fixed_dictionaries(
                    {"Path": texts},
                    optional={"Options": st.lists(commands), "Type": st.sampled_from(["local", "LOCAL"])},
                ),
                "Launcher": st.sampled_from(["srun", "None"]),
            },
        ),
        "Tracking": st.sampled_from(["online", "Offline"]),
    },
)


def load_or_refuse(file: Path) -> ComputeBackendConfig | tuple[str, ...]:
    """Return the config, or the problems after checking that each is one line that names the file."""
    try:
        return load_config(read_document(file, name=file.name), ConfigDefaults(), environ={}).config
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert all(problem.startswith(file.name) and "\n" not in problem for problem in problems)
    return problems


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(st.binary())
@example(b"\xff\xfeL\x00")
@example(b"\x00")
@same_folder
def test_any_bytes_load_or_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"c{suffix}"
    file.write_bytes(content)
    load_or_refuse(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(st.text(st.sampled_from("\t\n\r -?:,[]{}#&*!|>'\"%@`\\ax0UuN~=<./0189é\ufeff\u2028")))
@example('"\\ud800"')
@example('{"Slurm":{},"Account":"\\ud800"}')
@example('Slurm:\nAccount: "\\ud800"')
@example("%YAML 9999999999999999999999.1\n---\na")
@example("%YAML " + "9" * 5000 + ".1\n---\na")
@example("!<%ff> a")
@example("a: !!int x")
@example("Exclude: [" + "*" * 100 + "]")
@example('{"a":' + "9" * 5000 + "}")
@same_folder
def test_any_text_made_of_punctuation_loads_or_is_refused(tmp_path: Path, suffix: str, content: str) -> None:
    file = tmp_path / f"c{suffix}"
    file.write_text(content, encoding="utf-8", newline="")
    load_or_refuse(file)


KEYS = """
    Local SSH Hostname Port UnicoreApiUrl Firecrest ApiUrl Resources Queue Runtime CPUs Memory CPUsPerNode
    Environment Variables MLFLOW_RUN_ID A_TOKEN Python Apptainer Singularity SingularityImage Type Path
    PreRunCommand Command ExecuteOnLoginNode PreRunCommandOnLoginNode Exclude $schema
"""
keys = st.text(max_size=3) | st.sampled_from(KEYS.split())
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, anything), st.dictionaries(keys, anything))
def test_any_tree_over_any_block_loads_or_is_refused(file: dict[str, Any], block: dict[str, Any]) -> None:
    try:
        defaults = ConfigDefaults.model_construct(name="block b", keys=block)
        loaded = load_config(document_from_mapping(file), defaults, environ={})
    except ConfigError as error:
        problems = error.problems
    else:
        problems = ()
        json_text = loaded.config.model_dump_json()
        assert ComputeBackendConfig.model_validate_json(json_text) == loaded.config
    assert all(problem.startswith(("config", "block b")) for problem in problems)


@given(configs)
@same_folder
def test_a_valid_config_is_the_same_as_mapping_yaml_and_json(tmp_path: Path, config: dict[str, Any]) -> None:
    loaded = load_config(document_from_mapping(config), ConfigDefaults(), environ={}).config
    as_yaml, as_json = tmp_path / "c.yaml", tmp_path / "c.json"
    as_yaml.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    as_json.write_text(json.dumps(config), encoding="utf-8")
    assert load_or_refuse(as_yaml) == load_or_refuse(as_json) == loaded
    assert ComputeBackendConfig.model_validate_json(loaded.model_dump_json()) == loaded
