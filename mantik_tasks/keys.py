"""Run keys and attempt keys: the names by which a site knows a run.

A run key is `<root flow run id, 12 hex>-<label>`, an attempt key is `<run key>-a<k>`. Both name
folders and jobs, so only letters, digits, `.`, `_` and `-` are in them.
"""

import re
from uuid import UUID

from mantik_tasks.errors import ConfigError

LABEL_LENGTH = 48
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ATTEMPT_KEY = re.compile(r"(?P<run_key>[0-9a-f]{12}-[A-Za-z0-9][A-Za-z0-9._-]*)-a(?P<number>[1-9][0-9]*)")


def run_key(root_flow_run_id: UUID, label: str) -> str:
    """Return the key of a run.

    The last 12 hex digits are taken: Prefect's ids are UUIDv7, whose first 12 are a clock that two
    runs of one schedule share.

    Raises:
        ConfigError: If the label can't name a folder and a job.
    """
    if len(label) > LABEL_LENGTH or not _LABEL.fullmatch(label):
        raise ConfigError(
            f"label {label!r}: use 1 to {LABEL_LENGTH} letters, digits, '.', '_' or '-', "
            "beginning with a letter or digit"
        )
    return f"{root_flow_run_id.hex[-12:]}-{label}"


def attempt_key(run_key: str, number: int) -> str:
    """Return the key of a run's attempt `number`, counted from 1."""
    return f"{run_key}-a{number}"


def split_attempt_key(key: str) -> tuple[str, int]:
    """Return run key and attempt number of an attempt key.

    Raises:
        ValueError: If `key` is no attempt key.
    """
    match = _ATTEMPT_KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not an attempt key, such as 0123456789ab-train-1-a1")
    return match["run_key"], int(match["number"])


def slug(text: str) -> str:
    """Return `text` as a label: other characters become dashes, too long a text is cut."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")[: LABEL_LENGTH - 8] or "run"
