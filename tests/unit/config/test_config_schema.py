"""The shipped JSON Schema and the generated reference: up to date, and of one mind with the reader."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships without types

from mantik_tasks.config.catalogue import all_keys
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.reader import load_config, read_document
from mantik_tasks.config.reference import EXAMPLE, reference_text
from mantik_tasks.config.schema import SCHEMA_FILE, file_schema, schema_text

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "tests" / "data" / "configs"
# No JSON value for an editor to look at, or a fault that only the whole config shows.
NOT_FOR_A_SCHEMA = {
    *("bomb.yaml", "config.toml", "empty.json", "empty.yaml", "itself.yaml", "latin1.yaml"),
    *("syntax.json", "syntax.yaml", "tabs.yaml", "tags.yaml", "twice.json", "twice.yaml"),
}


class EditorLoader(yaml.SafeLoader):
    """Reads YAML 1.2 as editors do: no dates, no clocks, `yes` is text."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":int", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("-+0123456789"))
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(true|True|false|False)$"), list("tTfF")
)


def as_an_editor_sees(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8-sig"), Loader=EditorLoader)  # noqa: S506 - a safe loader


def names(kind: str) -> list[str]:
    return sorted(path.name for path in (CONFIGS / kind).iterdir() if path.suffix != ".expected")


def problems(config: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(file_schema()).iter_errors(config)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(file_schema())


def test_generated_files_are_up_to_date() -> None:
    """If this fails: uv run python scripts/generate-docs."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    assert (ROOT / "docs" / "config-reference.md").read_text(encoding="utf-8") == reference_text()


@pytest.mark.parametrize("name", names("good"))
def test_the_schema_accepts_what_the_reader_accepts(name: str) -> None:
    file = CONFIGS / "good" / name
    assert problems(as_an_editor_sees(file)) == []
    assert problems(read_document(file, name=name).root.plain()) == []


@pytest.mark.parametrize("name", sorted(set(names("bad")) - NOT_FOR_A_SCHEMA))
def test_the_schema_refuses_what_a_schema_can(name: str) -> None:
    assert problems(as_an_editor_sees(CONFIGS / "bad" / name))


@pytest.mark.parametrize(
    "wrong",
    [
        {"Local": {}, "Slurm": {}},
        {"Local": {}, "Nonsense": 1},
        {"Local": {"Port": 1}},
        {"SSH": {"Port": 0}},
        {"SSH": {"Hostname": "me@host"}},
        {"UnicoreApiUrl": "site"},
        {"Resources": {"Runtime": 3600}},
        {"Resources": {"Runtime": "3600"}},
        {"Resources": {"Nodes": 1.5}},
        {"Resources": {"Nodes": None}},
        {"Resources": {"Queue": ""}},
        {"Resources": {"Queue": "a\nb"}},
        {"Resources": {"CPUs": 1, "TotalCPUs": 1}},
        {"Resources": {"MemoryPerNode": "10GB"}},
        {"Resources": {"Exclusive": 1}},
        {"Tracking": "maybe"},
        {"Environment": {"Python": "venv"}},
        {"Environment": {"Python": "/venv", "Apptainer": {"Path": "a"}}},
        {"Environment": {"Apptainer": {"Path": "a.sif", "Type": "Remote"}}},
        {"Environment": {"Variables": {"A-B": 1}}},
        {"Environment": {"Variables": {"A": [1]}}},
        {"Environment": {"PreRunCommand": {"ExecuteOnLoginNode": True}}},
        {"Firecrest": {}, "Environment": {"PreRunCommandOnLoginNode": "ls"}},
    ],
)
def test_the_schema_points_at_what_is_wrong(wrong: dict[str, object]) -> None:
    assert problems(wrong)


@pytest.mark.parametrize(
    "fine", [{}, {"Local": None}, {"SSH": {"Port": 22}}, {"Tracking": "OFFLINE"}, {"Resources": {}}]
)
def test_nothing_is_required_of_a_file_because_a_block_may_supply_it(fine: dict[str, object]) -> None:
    assert problems(fine) == []


def test_old_spellings_are_deprecated() -> None:
    schema = file_schema()
    assert schema["properties"]["SingularityImage"]["deprecated"]
    assert schema["$defs"]["Resources"]["properties"]["Memory"]["deprecated"]
    assert schema["$defs"]["Environment"]["properties"]["PreRunCommand"]["deprecated"]


def test_every_key_has_a_description_and_every_value_an_example_that_loads() -> None:
    for key in all_keys():
        assert key.field.description, key
        assert key.field.examples or (key.section and key.section.model_fields), key
        for example in key.field.examples or ():
            config: Any = example
            for part in reversed(key.path):
                config = {part: config}
            assert problems(json.loads(json.dumps(config))) == [], key


def test_the_reference_names_every_key() -> None:
    text = reference_text()
    assert all(f"| `{key.path[-1]}`" in text for key in all_keys())


def test_the_example_of_the_reference_loads_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "compute-backend-config.yaml"
    file.write_text(EXAMPLE)
    assert load_config(read_document(file, name="c"), ConfigDefaults(), environ={}).warnings == ()
