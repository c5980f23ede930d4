"""Whole config files, as people have them: good ones and what they mean, bad ones and what is said."""

import json
from pathlib import Path

import pytest

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.config.reader import LoadedConfig, load_config, read_document
from mantik_tasks.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "data" / "configs"


def files(kind: str) -> list[Path]:
    return sorted(path for path in (CONFIGS / kind).iterdir() if path.suffix != ".expected")


def expected(file: Path) -> str:
    return file.with_name(f"{file.name}.expected").read_text(encoding="utf-8")


def load(file: Path) -> LoadedConfig:
    return load_config(read_document(file, name=file.name), ConfigDefaults(), environ={})


@pytest.mark.parametrize("file", files("good"), ids=lambda file: file.name)
def test_a_good_file_means_what_is_expected(file: Path) -> None:
    loaded, wanted = load(file), json.loads(expected(file))
    assert loaded.config == ComputeBackendConfig.model_validate(wanted["config"])
    assert list(loaded.warnings) == wanted["warnings"]


@pytest.mark.parametrize("file", files("good"), ids=lambda file: file.name)
def test_a_loaded_config_survives_the_way_through_json(file: Path) -> None:
    config = load(file).config
    assert ComputeBackendConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("file", files("bad"), ids=lambda file: file.name)
def test_a_bad_file_is_refused_with_every_problem_and_its_line(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "\n".join(caught.value.problems) + "\n" == expected(file)


@pytest.mark.parametrize("file", files("bad"), ids=lambda file: file.name)
def test_no_message_repeats_the_value_of_a_variable(file: Path) -> None:
    assert "secret-value" not in expected(file)
