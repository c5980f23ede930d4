"""The errors of this package.

```
MantikError
├── ConfigError            what a person wrote can't be run; holds every problem found
├── BackendError           something between us and the site; `transient` says whether to try again
│   ├── AuthenticationError
│   ├── Unreachable        transient
│   ├── SubmitRejected     the site refused the job, in its own words
│   ├── TransferError      files did not arrive whole
│   └── JobNotFound
└── JobFailed              the job ended without success; holds its status
```

Errors of client libraries are translated once per backend, with the cause kept. A message says what
happened, where, and what to do; it never holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mantik_tasks.backends.base import JobStatus


class MantikError(Exception):
    """Base of all errors of this package."""


class ConfigError(MantikError):
    """A project, config, entry point or parameter can't be run as it is.

    Attributes:
        problems: Every problem found, one line each, in the form `file:line: Key.Path: what is wrong`.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class BackendError(MantikError):
    """A site could not do what it was asked.

    Attributes:
        transient: Whether the same call may work later.
    """

    transient = False


class AuthenticationError(BackendError):
    """The site did not accept the credentials."""


class Unreachable(BackendError):
    """The site did not answer. Says nothing about its jobs."""

    transient = True


class SubmitRejected(BackendError):
    """The site refused the job."""


class TransferError(BackendError):
    """Files could not be transferred whole."""


class JobNotFound(BackendError):
    """The site has positively answered that it does not know this job or run directory."""


class JobFailed(MantikError):
    """The job ended without success.

    Attributes:
        status: Its final status.
    """

    def __init__(self, message: str, status: JobStatus) -> None:
        self.status = status
        super().__init__(message)

    def __reduce__(self) -> tuple[type[JobFailed], tuple[str, JobStatus]]:
        """Survive pickling: Prefect persists exceptions, and the default passes one argument."""
        return type(self), (str(self), self.status)
