"""What `scripts/demo` runs once the environment is set up."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deployments.local_stack import LocalStack, StackError  # noqa: E402 - needs the line above

FOLDER = ROOT / ".demo"
DEPLOYMENT = "run-project/default"
RUN_SECONDS = 300


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(description="Train the wine example as a Prefect deployment.")
    parser.add_argument("--keep", action="store_true", help="leave the servers running until Ctrl-C")
    keep = parser.parse_args().keep
    # What docker stop or a shell's kill sends ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if FOLDER.exists():
        print(f"Removing what the last demo left in {FOLDER}", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
    stack = LocalStack(FOLDER)
    try:
        start(stack)
        result = train(stack)
        report(stack, result)
        if keep:
            wait_for_ctrl_c()
        else:
            print("The servers stop now; scripts/demo --keep runs it anew and leaves them up.\n")
    except StackError as error:
        print(f"\nThe demo stopped here: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    finally:
        with step("Stopping the servers"):
            stack.close()
    return 0


def start(stack: LocalStack) -> None:
    """Bring up the servers, the blocks, the deployments and a worker."""
    stack.start_mlflow()
    with step(f"Starting a Prefect server at {stack.prefect_url}"):
        stack.start_prefect()
    with step(f"Starting an MLflow server at {stack.mlflow_url}"):
        stack.wait_for_mlflow()
    with step("Registering blocks"):
        blocks = stack.folder / "blocks.toml"
        blocks.write_text(
            f"[compute-backend.demo]\nkind = 'local'\nbase_directory = '{stack.folder}/site'\n"
            f"[mlflow-tracking.demo]\ntracking_uri = '{stack.mlflow_url}'\nexperiment_name = 'wine'\n"
        )
        stack.run([sys.executable, "-m", "deployments.register_blocks", str(blocks)])
    with step("Deploying prefect.yaml"):
        stack.deploy()
    with step("Starting a worker"):
        stack.start_worker()


def train(stack: LocalStack) -> dict[str, str]:
    """Run the deployment, show its log, and return what the run came to."""
    print(f"\n$ prefect deployment run {DEPLOYMENT}\n", flush=True)
    output = stack.run(
        [
            *("prefect", "deployment", "run", DEPLOYMENT),
            *("-p", 'backend={"$ref": {"block_document_slug": "compute-backend/demo"}}'),
            *("-p", 'tracking={"$ref": {"block_document_slug": "mlflow-tracking/demo"}}'),
            *("-p", f"results={stack.folder}/results"),
        ]
    )
    run_id = output.partition("UUID: ")[2].split()[0]
    follow = [sys.executable, str(ROOT / "scripts" / "follow.py"), run_id, "--seconds", str(RUN_SECONDS)]
    done = subprocess.run(
        follow, cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise StackError(f"the flow run did not complete; look at {stack.log_of('worker')}")
    result: dict[str, str] = json.loads(done.stdout)
    return result


def report(stack: LocalStack, result: dict[str, str]) -> None:
    """Print what there is to look at."""
    from mlflow import MlflowClient

    client = MlflowClient(stack.mlflow_url)
    experiment = client.get_experiment_by_name("wine")
    if experiment is None:
        raise StackError("MLflow has no experiment named wine")
    run = client.search_runs([experiment.experiment_id], max_results=1)[0]
    accuracy = run.data.metrics["accuracy"]
    runs = stack.folder / "site" / "mantik-runs"
    print(
        f"""
The model is trained: accuracy {accuracy:.1%} on wines it had not seen.

  Prefect run     {stack.prefect_url}/runs/flow-run/{result["flow_run_id"]}
  MLflow run      {stack.mlflow_url}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}
  Fetched files   {stack.folder}/results
  Run directory   {next(path for path in runs.iterdir() if not path.name.startswith("."))}
""",
        flush=True,
    )


def wait_for_ctrl_c() -> None:
    """Keep the servers up."""
    print("Everything keeps running; Ctrl-C stops it.", flush=True)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    began_at = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began_at:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
