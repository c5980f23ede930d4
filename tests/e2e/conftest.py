"""A real Prefect server, process worker and MLflow server, brought up once for all tests here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from deployments.local_stack import LocalStack

WAIT_SECONDS = 150


@dataclass
class Stack:
    """The servers, and what tests do with them."""

    servers: LocalStack

    @property
    def site(self) -> Path:
        """Base directory of the local backend."""
        return self.servers.folder / "site"

    def run_deployment(self, parameters: Mapping[str, Any], name: str = "run-project/default") -> UUID:
        """Start a deployment with the `prefect` command, as a person does, and return the flow run's id."""
        blocks = {
            "backend": {"$ref": {"block_document_slug": "compute-backend/test"}},
            "tracking": {"$ref": {"block_document_slug": "mlflow-tracking/test"}},
            "results": str(self.servers.folder / "results"),
        }
        given = [f"{key}={json.dumps(value)}" for key, value in {**blocks, **parameters}.items()]
        options = [part for item in given for part in ("-p", item)]
        output = self.servers.run(["prefect", "deployment", "run", name, *options])
        return UUID(output.partition("UUID: ")[2].split()[0])

    async def ask(self, question: Callable[[PrefectClient], Coroutine[Any, Any, Any]]) -> Any:
        """Ask the Prefect server something."""
        async with PrefectClient(f"{self.servers.prefect_url}/api") as client:
            return await question(client)

    async def flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Read a flow run."""
        flow_run: FlowRun = await self.ask(lambda client: client.read_flow_run(flow_run_id))
        return flow_run

    async def ended(self, flow_run_id: UUID) -> FlowRun:
        """Wait until a flow run has ended."""

        async def final() -> FlowRun | None:
            flow_run = await self.flow_run(flow_run_id)
            return flow_run if flow_run.state is not None and flow_run.state.is_final() else None

        ended: FlowRun = await self.eventually(final)
        return ended

    async def eventually(self, question: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Wait until a question has an answer."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            answer = await question()
            if answer:
                return answer
            await asyncio.sleep(0.3)
        worker = self.servers.log_of("worker").read_text(errors="replace")[-3000:]
        raise AssertionError(f"not within {WAIT_SECONDS} s; the worker's log ends:\n{worker}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of this session's own."""
    servers = LocalStack(tmp_path_factory.mktemp("stack"))
    try:
        servers.start_mlflow()
        servers.start_prefect()
        servers.wait_for_mlflow()
        blocks = servers.folder / "blocks.toml"
        blocks.write_text(
            f"[compute-backend.test]\nkind = 'local'\nbase_directory = '{servers.folder}/site'\n"
            f"[mlflow-tracking.test]\ntracking_uri = '{servers.mlflow_url}'\nexperiment_name = 'e2e'\n"
        )
        servers.run(["python", "-m", "deployments.register_blocks", str(blocks)])
        servers.deploy()
        servers.start_worker()
        yield Stack(servers)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"{error.cmd} took too long") from error
    finally:
        servers.close()
