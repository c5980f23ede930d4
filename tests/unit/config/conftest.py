"""What the tests of the config share."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.reader import LoadedConfig, document_from_mapping, load_config, read_document
from mantik_tasks.errors import ConfigError

Load = Callable[..., LoadedConfig]
Problems = Callable[..., tuple[str, ...]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a config given as YAML text or as a dict, over a block's keys, in an environment."""

    def load(
        config: str | Mapping[str, object],
        block: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> LoadedConfig:
        if isinstance(config, str):
            file = tmp_path / "c.yaml"
            file.write_text(config)
            document = read_document(file, name="c.yaml")
        else:
            document = document_from_mapping(config)
        defaults = ConfigDefaults.model_validate({"name": "block juwels", "keys": block or {}})
        return load_config(document, defaults, environ=environ or {})

    return load


@pytest.fixture
def problems_of(load: Load) -> Problems:
    """Return the problems of a config that can't be loaded."""

    def problems_of(*args: object, **kwargs: object) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            load(*args, **kwargs)
        return caught.value.problems

    return problems_of
