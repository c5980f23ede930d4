import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mantik_tasks.backends.base import (
    Backend,
    Bundle,
    BundleFile,
    JobHandle,
    JobRequest,
    JobState,
    JobStatus,
    Reason,
    TransferProgress,
)
from mantik_tasks.backends.scripted import ScriptedBackend
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.errors import BackendError, JobNotFound, SubmitRejected, Unreachable
from mantik_tasks.models import Intent, JobScript, Project, RunSpec

KEY = "0123456789ab-run-a1"


@pytest.fixture
def bundle() -> Bundle:
    spec = RunSpec(
        project=Project(source="p", directory="/p", name="p"),
        entry_point="main",
        command="true",
        config=ComputeBackendConfig.model_validate({"Local": {}}),
        config_source="c.yaml",
    )
    intent = Intent(created_at=datetime.now(UTC), spec=spec, script=JobScript(job="true"))
    return Bundle(intent, (BundleFile("data", lambda: io.BytesIO(b"data")),))


def submitted(backend: ScriptedBackend, bundle: Bundle, key: str = KEY) -> JobHandle:
    return backend.submit(JobRequest(), backend.stage(bundle, key, TransferProgress()))


def test_it_is_a_backend_and_leads_to_itself() -> None:
    backend = ScriptedBackend()
    assert isinstance(backend, Backend)
    assert backend.connect() is backend
    assert backend.config_defaults().keys == {}


def test_states_come_one_by_one_and_the_last_one_stays(bundle: Bundle) -> None:
    failed = JobStatus(state=JobState.FAILED, reason=Reason.TIMEOUT)
    backend = ScriptedBackend([JobState.QUEUED, failed])
    handle = submitted(backend, bundle)
    assert [backend.statuses([handle])[handle].state for _ in range(3)] == ["QUEUED", "FAILED", "FAILED"]
    assert backend.find("0123456789ab-run")[0].status == failed


def test_each_new_job_may_have_a_script_of_its_own(bundle: Bundle) -> None:
    backend = ScriptedBackend([JobState.SUCCEEDED])
    backend.script_next(JobState.FAILED)
    first, second = submitted(backend, bundle), submitted(backend, bundle, "0123456789ab-run-a2")
    statuses = backend.statuses([first, second])
    assert (statuses[first].state, statuses[second].state) == (JobState.FAILED, JobState.SUCCEEDED)


def test_calls_are_recorded_and_can_be_made_to_fail(bundle: Bundle) -> None:
    backend = ScriptedBackend()
    backend.fail("submit", Unreachable("down"))
    run_directory = backend.stage(bundle, KEY, TransferProgress())
    with pytest.raises(Unreachable):
        backend.submit(JobRequest(), run_directory)
    handle = backend.submit(JobRequest(), run_directory)
    assert backend.submit(JobRequest(), run_directory) == handle
    assert backend.calls == [("stage", KEY)] + 3 * [("submit", KEY)]


def test_files_and_logs_come_home(bundle: Bundle, tmp_path: Path) -> None:
    backend = ScriptedBackend(files={"out/a": b"a"})
    handle = submitted(backend, bundle)
    backend.write(KEY, "mantik.log", b"hello\n")
    assert backend.read_logs({handle: 2}) == {handle: b"llo\n"}
    assert backend.fetch(handle, ["out/", "data"], tmp_path / "t", TransferProgress()) == ("data", "out/a")
    assert (tmp_path / "t/out/a").read_bytes() == b"a"
    assert backend.find("0123456789ab-run")[0].fetched


def test_a_cancelled_job_ends_and_its_run_goes_no_further(bundle: Bundle) -> None:
    backend = ScriptedBackend([JobState.RUNNING])
    handle = submitted(backend, bundle)
    with pytest.raises(BackendError):
        backend.remove(handle)
    backend.cancel([handle])
    assert backend.statuses([handle])[handle].state is JobState.CANCELLED
    with pytest.raises(SubmitRejected):
        submitted(backend, bundle, "0123456789ab-run-a2")
    backend.remove(handle)
    with pytest.raises(JobNotFound):
        backend.statuses([handle])
