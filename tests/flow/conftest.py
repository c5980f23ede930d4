"""Flow tests run on Prefect's own harness, and on real detached jobs where they say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from mantik_tasks import LocalConnection


@pytest.fixture(scope="session", autouse=True)
def harness() -> Iterator[None]:
    """A Prefect server of this session's own."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def site(tmp_path: Path) -> LocalConnection:
    """A local site in a folder of its own."""
    return LocalConnection(base_directory=str(tmp_path / "site"), max_concurrent_jobs=2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go to a folder of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
