"""The MLflow run of a run: opened before submission, ended with the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from mantik_tasks.backends.base import LOG_FILE, JobHandle, JobState, JobStatus
from mantik_tasks.errors import BackendError
from mantik_tasks.models import JobScript, RunSpec
from mantik_tasks.tracking.connection import MlflowConnection, TrackedRun

RUN_KEY_TAG = "mantik.run_key"
_ARTIFACT_FOLDER = "mantik"
_LARGEST_PARAMETER = 6000
_RUN_STATUS = {JobState.SUCCEEDED: "FINISHED", JobState.CANCELLED: "KILLED"}


def open_run(
    connection: MlflowConnection, run_key: str, spec: RunSpec, script: JobScript, tags: Mapping[str, str]
) -> TrackedRun:
    """Return the MLflow run of a run key, created if there is none yet.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    with connection.active(), _translated(connection):
        client = MlflowClient(connection.tracking_uri)
        experiment_id = _experiment_id(client, connection.experiment_name)
        run = _find_run(client, experiment_id, run_key)
        if run is None:
            label = run_key.partition("-")[2]
            run = client.create_run(
                experiment_id,
                tags={RUN_KEY_TAG: run_key, **_spec_tags(spec), **tags},
                run_name=f"{spec.project.name} {label}",
            )
        else:
            client.update_run(run.info.run_id, status="RUNNING")
        config = spec.config.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        client.log_text(
            run.info.run_id,
            yaml.safe_dump(config, sort_keys=False),
            f"{_ARTIFACT_FOLDER}/compute-backend-config.yaml",
        )
        client.log_text(run.info.run_id, script.job, f"{_ARTIFACT_FOLDER}/job.sh")
        return TrackedRun(
            run_id=run.info.run_id, experiment_id=run.info.experiment_id, tracking_uri=connection.tracking_uri
        )


def record_job(connection: MlflowConnection, run: TrackedRun, handle: JobHandle) -> None:
    """Tag an MLflow run with its job."""
    with connection.active(), _translated(connection):
        client = MlflowClient(connection.tracking_uri)
        tags = {
            "mantik.backend": handle.backend,
            "mantik.site": handle.site,
            "mantik.job_id": handle.job_id,
            "mantik.attempt": handle.key,
            "mantik.run_directory": handle.path,
        }
        for name, value in tags.items():
            client.set_tag(run.run_id, name, value)


def close_run(
    connection: MlflowConnection, run: TrackedRun, spec: RunSpec, status: JobStatus, fetched: Path | None
) -> None:
    """End an MLflow run with the job's status, and complete what the program did not log itself.

    Parameters are logged only now and only where the program logged none of that name: MLflow lets
    nobody log a parameter twice with two spellings, and the program's `0.5` must not fail over our
    `0.50`.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    with connection.active(), _translated(connection):
        client = MlflowClient(connection.tracking_uri)
        logged = client.get_run(run.run_id).data.params
        for name, value in spec.parameters.items():
            if name not in logged:
                client.log_param(run.run_id, name, value[:_LARGEST_PARAMETER])
        if fetched is not None and (fetched / LOG_FILE).is_file():
            client.log_artifact(run.run_id, str(fetched / LOG_FILE), _ARTIFACT_FOLDER)
        for name, value in _status_tags(status).items():
            client.set_tag(run.run_id, name, value)
        client.set_terminated(run.run_id, _RUN_STATUS.get(status.state, "FAILED"))


def fail_run(connection: MlflowConnection, run: TrackedRun) -> None:
    """End an MLflow run as failed, because there is no job that could.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    with connection.active(), _translated(connection):
        MlflowClient(connection.tracking_uri).set_terminated(run.run_id, "FAILED")


def _experiment_id(client: MlflowClient, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return client.create_experiment(name)
        except MlflowException:  # somebody else may have made it in between
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise BackendError(f"MLflow experiment {name!r} is deleted; restore it, or choose another name")
    return experiment.experiment_id


def _find_run(client: MlflowClient, experiment_id: str, run_key: str) -> Run | None:
    found = client.search_runs([experiment_id], f"tags.`{RUN_KEY_TAG}` = '{run_key}'", max_results=1)
    return found[0] if found else None


def _spec_tags(spec: RunSpec) -> dict[str, str]:
    environment = spec.config.environment
    tags = {
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": spec.project.source,
        "mlflow.project.entryPoint": spec.entry_point,
        "mlflow.source.git.commit": spec.project.commit,
        "mantik.dirty": "true" if spec.project.dirty else None,
        "mantik.image": environment.apptainer.path if environment.apptainer else None,
        "mantik.venv": environment.python.path if environment.python else None,
    }
    return {name: value for name, value in tags.items() if value is not None}


def _status_tags(status: JobStatus) -> dict[str, str]:
    accounting = status.accounting.model_dump(exclude_none=True) if status.accounting else {}
    values = {"state": status.state, "reason": status.reason, "exit_code": status.exit_code, **accounting}
    return {f"mantik.{name}": str(value) for name, value in values.items() if value is not None}


@contextmanager
def _translated(connection: MlflowConnection) -> Iterator[None]:
    """Turn MLflow's errors into ours."""
    try:
        yield
    except (MlflowException, OSError) as error:
        raise BackendError(f"MLflow at {connection.tracking_uri} could not do it: {error}") from error
