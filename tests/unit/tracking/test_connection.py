"""Credentials of a tracking server stay where they belong."""

import contextlib
import os

import pytest
from pydantic import SecretStr, ValidationError

from mantik_tasks.tracking.connection import MlflowConnection, TrackedRun


def test_the_environment_is_ours_for_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "theirs")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    connection = MlflowConnection(tracking_uri="https://m.example.org", token=SecretStr("ours"))
    with contextlib.suppress(RuntimeError), connection.active():
        assert os.environ["MLFLOW_TRACKING_TOKEN"] == "ours"
        assert os.environ["MLFLOW_TRACKING_URI"] == "https://m.example.org"
        raise RuntimeError
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "theirs"
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "me"},
        {"password": "hunter2"},
        {"token": "hunter2", "username": "me", "password": "hunter2"},
        {"tracking_uri": "https://me:hunter2@m.example.org"},
        {"tracking_uri": ""},
        {"nonsense": "hunter2"},
    ],
)
def test_what_does_not_go_together_is_refused_without_showing_it(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        MlflowConnection.model_validate({"tracking_uri": "https://m.example.org", **fields})
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_shown() -> None:
    connection = MlflowConnection(tracking_uri="https://m", username="me", password=SecretStr("hunter2"))
    assert "hunter2" not in f"{connection} {connection!r} {connection.model_dump_json()}"


def test_a_run_has_a_page_where_its_server_has_pages() -> None:
    run = TrackedRun(run_id="r", experiment_id="1", tracking_uri="https://m.example.org/")
    assert run.url == "https://m.example.org/#/experiments/1/runs/r"
    assert run.model_copy(update={"tracking_uri": "sqlite:///x.db"}).url is None
