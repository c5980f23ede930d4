"""The blocks meet Prefect's standards, and lead where they say."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect.testing.standard_test_suites import blocks as standard
from pydantic import SecretStr, ValidationError

from blocks import ComputeBackend, MlflowTracking
from deployments.register_blocks import BLOCKS, main, register
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import ConfigError

# Prefect's SQLite may keep a writer waiting for a minute.
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
class TestStandards(BlockStandardTestSuite):
    @pytest.fixture
    def block(self, request: pytest.FixtureRequest) -> type[Block]:
        raise NotImplementedError  # given by the parameters

    @pytest.fixture(autouse=True)
    def no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Prefect's suite fetches the logo; tests stay on this machine, so a square stands in for it."""
        picture = io.BytesIO()
        Image.new("RGB", (200, 200)).save(picture, "PNG")

        def open_locally(url: str) -> io.BytesIO:
            assert url.startswith("https://"), url
            return io.BytesIO(picture.getvalue())

        assert standard.urlopen is urlopen
        monkeypatch.setattr(standard, "urlopen", open_locally)


async def test_a_saved_block_is_the_same_again(tmp_path: Path) -> None:
    saved = ComputeBackend(kind="local", base_directory=str(tmp_path), max_concurrent_jobs=3)
    await saved.asave("same", overwrite=True)
    loaded = await ComputeBackend.aload("same")
    assert loaded.connect() is saved.connect()
    assert loaded.config_defaults().name == "block same"
    assert loaded.document_id is not None


def test_what_is_not_filled_in_is_left_to_the_project() -> None:
    assert ComputeBackend(kind="local").config_defaults().keys == {"Local": {}, "Tracking": "online"}


def test_what_is_filled_in_becomes_config_keys() -> None:
    block = ComputeBackend.model_validate(
        {
            "kind": "ssh",
            "host": "login.example.org",
            "account": "a",
            "resources": {"queue": "gpu", "runtime": "1h", "nodes": 2, "memory_per_node": "4G"},
            "modules": ["Python"],
            "tracking": "offline",
        }
    )
    assert block.config_defaults().keys == {
        "SSH": {"Hostname": "login.example.org", "Port": 22},
        "Account": "a",
        "Resources": {"Queue": "gpu", "Runtime": "1h", "Nodes": 2, "MemoryPerNode": "4G"},
        "Environment": {"Modules": ["Python"]},
        "Tracking": "offline",
    }


@pytest.mark.parametrize("kind", ["slurm", "ssh", "unicore"])
def test_a_backend_that_is_not_there_yet_says_so(kind: str) -> None:
    block = ComputeBackend.model_validate({"kind": kind, "host": "https://h.example.org/rest/core"})
    with pytest.raises(ConfigError, match=f"{kind} backend is not there yet"):
        block.connect()


def test_the_local_backend_is_there() -> None:
    assert ComputeBackend(kind="local").connect().kind is BackendKind.LOCAL


def test_the_tracking_block_leads_to_a_connection() -> None:
    block = MlflowTracking(tracking_uri="https://m.example.org", username="me", password=SecretStr("hunter2"))
    connection = block.connect()
    assert (connection.username, connection.ca_bundle) == ("me", None)
    assert connection.password == SecretStr("hunter2")


def test_a_wrong_field_does_not_show_a_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        MlflowTracking.model_validate({"tracking_uri": "https://m", "token": {"value": "hunter2"}})
    assert "hunter2" not in str(caught.value)


async def test_documents_are_registered_from_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    slugs = await register({"mlflow-tracking": {"t": {"tracking_uri": "https://m", "token": "$MY_TOKEN"}}})
    assert slugs == ["mlflow-tracking/t"]
    loaded = await MlflowTracking.aload("t")
    assert loaded.token == SecretStr("hunter2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[nonsense.x]\na = 1\n", "no such block types: nonsense"),
        ("[compute-backend.x]\nkind = 'local'\nhosst = 'h'\n", "compute-backend/x: no such fields: hosst"),
        ("[mlflow-tracking.x]\ntoken = 'hunter2'\n", "mlflow-tracking/x: tracking_uri"),
        ("[mlflow-tracking.x]\ntracking_uri = '$NOT_THERE'\n", "the environment has no NOT_THERE"),
        ("[", "register_blocks:"),
    ],
)
def test_what_is_wrong_in_the_table_is_said_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    (tmp_path / "blocks.toml").write_text(text)
    assert main([str(tmp_path / "blocks.toml")]) == 2
    shown = capsys.readouterr().err
    assert expected in shown
    assert "hunter2" not in shown
