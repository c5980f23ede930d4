"""A Prefect server, a worker and an MLflow server on this machine, on free ports, in one folder.

What the demo shows and the end-to-end tests use. Every process is ended by its pid.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
STOP_SECONDS = 15


class StackError(Exception):
    """A server did not start; says which, and where its log is."""


@dataclass
class LocalStack:
    """Servers that belong together.

    Attributes:
        folder: Holds their databases, logs and files.
    """

    folder: Path
    prefect_port: int = field(default_factory=lambda: free_port())
    mlflow_port: int = field(default_factory=lambda: free_port())
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def prefect_url(self) -> str:
        """Address of the Prefect UI."""
        return f"http://127.0.0.1:{self.prefect_port}"

    @property
    def mlflow_url(self) -> str:
        """Address of the MLflow server."""
        return f"http://127.0.0.1:{self.mlflow_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to talk to these servers."""
        binaries = str(Path(sys.executable).parent)
        # Settings of the person's own servers must not reach these, nor a proxy stand before them.
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))
        }
        return {
            **inherited,
            "PWD": str(ROOT),  # where prefect.yaml says that workers find the flows
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": f"{self.prefect_url}/api",
            "PREFECT_UI_URL": self.prefect_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "mantik_tasks",
            "PREFECT_CLI_COLORS": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    def start_prefect(self) -> None:
        """Start the Prefect server and wait until it answers."""
        self._start(
            "prefect-server",
            ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.prefect_port)],
        )
        self._wait("prefect-server", f"{self.prefect_url}/api/health")

    def start_mlflow(self) -> None:
        """Start the MLflow server; `wait_for_mlflow()` waits until it answers."""
        store = self.folder / "mlflow"
        store.mkdir(parents=True, exist_ok=True)
        self._start(
            "mlflow-server",
            [
                *(
                    "mlflow",
                    "server",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.mlflow_port),
                    "--workers",
                    "1",
                ),
                *("--backend-store-uri", f"sqlite:///{store}/mlflow.db"),
                *("--artifacts-destination", str(store / "artifacts")),
            ],
        )

    def wait_for_mlflow(self) -> None:
        """Wait until the MLflow server answers."""
        self._wait("mlflow-server", f"{self.mlflow_url}/health")

    def start_worker(self, pool: str = "mantik", *, name: str = "worker") -> subprocess.Popen[bytes]:
        """Start a process worker in the checkout."""
        return self._start(
            name, ["prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", name]
        )

    def deploy(self) -> None:
        """Make the work pool and register the deployments of `prefect.yaml`."""
        self.run(
            ["prefect", "--no-prompt", "work-pool", "create", "mantik", "--type", "process", "--overwrite"]
        )
        self.run(["prefect", "--no-prompt", "deploy", "--all"])

    def run(self, command: Sequence[str], *, timeout_seconds: float = 120) -> str:
        """Run a command in the checkout and return its output.

        Raises:
            StackError: With the output, if it fails.
        """
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        if done.returncode:
            raise StackError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self, name: str) -> None:
        """End one process and what it started."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        for ending in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                return
            os.killpg(process.pid, ending)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue

    def close(self) -> None:
        """End everything, the last first."""
        for name in reversed(list(self._processes)):
            self.stop(name)

    def log_of(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.folder / "logs" / f"{name}.log"

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = self.log_of(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[name] = process
        return process

    def _wait(self, name: str, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._processes[name].poll() is not None:
                break
            try:
                with _without_proxy.open(url, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        tail = self.log_of(name).read_text(errors="replace")[-2000:]
        raise StackError(f"{name} did not start; its log is {self.log_of(name)} and ends:\n{tail}")


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
