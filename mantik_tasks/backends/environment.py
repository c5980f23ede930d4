"""The file that brings variables to a job: NUL-separated `NAME=value`, so that any value arrives whole."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import SecretStr

from mantik_tasks.errors import SubmitRejected

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def encode_environment(variables: Mapping[str, SecretStr]) -> bytes:
    """Return the content of the file.

    Raises:
        SubmitRejected: If a name can't name a variable of a shell, or a value holds a NUL.
    """
    records = []
    for name, secret in variables.items():
        value = secret.get_secret_value()
        if not _NAME.fullmatch(name):
            raise SubmitRejected(f"{name!r} can't be the name of an environment variable")
        if "\0" in value:
            raise SubmitRejected(f"the value of {name} holds a NUL, which no environment variable can")
        records.append(f"{name}={value}\0".encode(errors="surrogateescape"))
    return b"".join(records)
