"""Reading: files of all kinds, Python mappings, and scalars that stay as they are written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.reader import LARGEST_FILE_BYTES, document_from_mapping, load_config, read_document
from mantik_tasks.errors import ConfigError

Load = Callable[..., Any]
AS_WRITTEN = ["007", "1e-6", "3.10", "true", "yes", "1_000", "0x10", "1:30", "2024-01-01", "-.inf", "=", "+1"]


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_a_scalar_wanted_as_text_stays_as_it_is_written(load: Load, text: str) -> None:
    config = load(
        f"""
        Slurm: {{}}
        Resources: {{Queue: {text}}}
        Environment:
          Variables: {{X: {text}, {text if text.isalpha() else "Y"}: z}}
          Modules: {text}
          PreRunCommandOnLoginNode: [{text}]
        """
    ).config
    environment = config.environment
    assert config.resources.queue == environment.variables["X"] == text
    assert environment.modules == environment.pre_run_on_login_node == (text,)
    assert not text.isalpha() or environment.variables[text] == "z"


def test_a_json_number_wanted_as_text_keeps_its_spelling(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(
        '{"Local": {}, "Environment": {"Variables": {"A": 1e-06, "B": 1.50, "C": true, "D": "\\u00e9"}}}'
    )
    config = load_config(read_document(file, name="c.json"), ConfigDefaults(), environ={}).config
    assert config.environment.variables == {"A": "1e-06", "B": "1.50", "C": "true", "D": "é"}


def test_a_json_number_of_any_length_is_text_too(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text('{"Local": {}, "Environment": {"Variables": {"A": %s}}}' % ("9" * 5_000))
    config = load_config(read_document(file, name="c.json"), ConfigDefaults(), environ={}).config
    assert config.environment.variables == {"A": "9" * 5_000}


@pytest.mark.parametrize("name", ["c.yaml", "c.json"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text('\ufeff{"Local": {}}', encoding="utf-8")
    assert read_document(file, name=name).root.plain() == {"Local": {}}


def test_several_lines_are_one_command(load: Load) -> None:
    config = load("Local:\nEnvironment:\n  PreRunCommandOnComputeNode: |\n    cd x\n    git pull\n").config
    assert config.environment.pre_run_on_compute_node == ("cd x\ngit pull\n",)


def test_python_code_may_give_numbers_truth_values_tuples_and_paths(load: Load) -> None:
    config = load(
        {
            "Local": None,
            "Resources": {"Nodes": 2, "Exclusive": False},
            "Environment": {
                "Python": Path("/venv"),
                "Variables": {"A": 1, "B": 2.5, "C": True},
                "Modules": ("a", "b"),
            },
        }
    ).config
    assert config.resources.nodes == 2
    assert config.resources.exclusive is False
    assert config.environment.python.path == "/venv"
    assert config.environment.variables == {"A": "1", "B": "2.5", "C": "true"}
    assert config.environment.modules == ("a", "b")


@pytest.mark.parametrize(
    "mapping",
    [
        {"Local": {1: 2}},
        {"Account": object()},
        {"Account": float("nan")},
        {"Account": 10**5000},
        {"Account": {"a"}},
    ],
)
def test_python_code_may_not_give_what_no_file_could_hold(mapping: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^config: (Local|Account): "):
        document_from_mapping(mapping)


def test_a_mapping_that_holds_itself_is_refused() -> None:
    mapping: dict[str, object] = {}
    mapping["Resources"] = mapping
    with pytest.raises(ConfigError, match="nested too deeply"):
        document_from_mapping(mapping)


def test_a_missing_file_and_a_folder_are_named_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^x\.yaml: can't be read: No such file"):
        read_document(tmp_path / "x.yaml", name="x.yaml")
    (tmp_path / "d.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"^d\.yaml: can't be read: Is a directory"):
        read_document(tmp_path / "d.yaml", name="d.yaml")


def test_an_absurdly_large_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"#" * LARGEST_FILE_BYTES)
    with pytest.raises(ConfigError, match="is empty"):
        read_document(file, name="c.yaml")
    file.write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="is too large"):
        read_document(file, name="c.yaml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "[" * 1000),
        ("c.yaml", "- " * 1000),
        ("c.yaml", "x: " + "{a: " * 30 + "}" * 30),
        ("c.yaml", "- a\n" * 50_000),
        ("c.yaml", "a: &a {b: 1, <<: *a}"),
        ("c.json", "[" * 100_000),
        ("c.json", "[" * 50 + "]" * 50),
        ("c.json", "[" + "1," * 50_000 + "1]"),
    ],
)
def test_a_deep_or_endless_tree_is_refused(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"nested too deeply|too large"):
        read_document(file, name=name)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c.yaml", "a: b: c", "c.yaml:1: column 5: mapping values are not allowed here"),
        ("c.yaml", "a: 1\n---\nb: 1", "c.yaml:2: column 1: expected a single document"),
        ("c.yaml", "a: 1\nb: \x07", "c.yaml:2: holds a character that YAML does not allow"),
        ("c.yaml", 'a: "\\U99999999"', "c.yaml: is not valid YAML"),
        ("c.yaml", "? [a]\n: b", "c.yaml:1: a key must be plain text"),
        ("c.yaml", "Local: {<<: [a]}", "c.yaml:1: Local: << must name a mapping, or a list of mappings"),
        ("c.json", '{"a": NaN}', "c.json: NaN is not valid JSON"),
        ("c.json", '{"a": 1} {"b": 2}', "c.json:1: column 10: Extra data"),
        ("c.json", '{\n"a": "\t"}', "c.json:2: column 7: Invalid control character"),
    ],
)
def test_a_syntax_error_has_its_line(tmp_path: Path, name: str, text: str, problem: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_document(file, name=name)
    assert caught.value.problems[0].startswith(problem)


def test_no_file_at_all_is_fine_when_the_block_says_it_all() -> None:
    defaults = ConfigDefaults(name="block here", keys={"Slurm": {}})
    assert load_config(None, defaults, environ={}).config.slurm is not None
    with pytest.raises(ConfigError, match=r"^config: no backend is named: give one of UnicoreApiUrl, "):
        load_config(None, ConfigDefaults(), environ={})


def test_problems_of_thousands_of_keys_are_cut_short(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"Local": {}} | {f"key{number}": 1 for number in range(5_000)})
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1] == "config: 4900 more problems of this kind"


def test_an_unprintable_or_endless_key_stays_on_its_line(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"Local": {}, "a\n\x1b[31m": 1, "b" * 1000: 1})
    assert [problem.partition(": unknown")[0] for problem in caught.value.problems] == [
        r"config: 'a\n\x1b[31m'",
        f"config: {'b' * 60}…",
    ]
