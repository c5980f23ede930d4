"""How to reach an MLflow tracking server."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from mantik_tasks.frozen import FrozenModel

# MLflow's client takes credentials from the process's environment only, so they are put there for
# the length of a call, one call at a time.
_environment_lock = threading.RLock()


class MlflowConnection(FrozenModel):
    """A tracking server and what it takes to log to it.

    Attributes:
        tracking_uri: URL of the server.
        experiment_name: Experiment that runs go to; made if it is missing.
        token: Bearer token.
        username: User name for basic authentication.
        password: Password for basic authentication.
        ca_bundle: File of certificates to trust, on this machine.
    """

    tracking_uri: str = Field(min_length=1)
    experiment_name: str = Field("Default", min_length=1)
    token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_bundle: str | None = None

    @field_validator("tracking_uri")
    @classmethod
    def _no_password_in_uri(cls, uri: str) -> str:
        if "@" in urlsplit(uri).netloc:
            raise ValueError("holds a user name; give username and password in their own fields")
        return uri

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both or none")
        if self.token is not None and self.username is not None:
            raise ValueError("give a token, or username and password, not both")
        return self

    def connect(self) -> MlflowConnection:
        """Return this connection, as a block returns its own."""
        return self

    def environment(self) -> dict[str, SecretStr]:
        """Return the variables that lead a program to the server."""
        variables = {
            "MLFLOW_TRACKING_URI": SecretStr(self.tracking_uri),
            "MLFLOW_TRACKING_TOKEN": self.token,
            "MLFLOW_TRACKING_USERNAME": None if self.username is None else SecretStr(self.username),
            "MLFLOW_TRACKING_PASSWORD": self.password,
        }
        return {name: value for name, value in variables.items() if value is not None}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make MLflow's client use this connection for the length of the block."""
        variables = {name: value.get_secret_value() for name, value in self.environment().items()}
        variables["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
        if self.ca_bundle is not None:
            variables["MLFLOW_TRACKING_SERVER_CERT_PATH"] = self.ca_bundle
        with _environment_lock:
            before = {name: os.environ.get(name) for name in variables}
            os.environ.update(variables)
            try:
                yield
            finally:
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value


class TrackingSource(Protocol):
    """Anything that leads to a tracking server: a connection, or a block around one."""

    def connect(self) -> MlflowConnection:
        """Return the connection."""


class TrackedRun(FrozenModel):
    """An MLflow run that is open.

    Attributes:
        run_id: Its id.
        experiment_id: Its experiment's id.
        tracking_uri: The server.
    """

    run_id: str
    experiment_id: str
    tracking_uri: str

    @property
    def url(self) -> str | None:
        """Address of its page, if the server has pages."""
        if not self.tracking_uri.startswith(("http://", "https://")):
            return None
        return f"{self.tracking_uri.rstrip('/')}/#/experiments/{self.experiment_id}/runs/{self.run_id}"

    def environment(self) -> dict[str, SecretStr]:
        """Return the variables that hand the run to a program."""
        return {
            "MLFLOW_RUN_ID": SecretStr(self.run_id),
            "MLFLOW_EXPERIMENT_ID": SecretStr(self.experiment_id),
        }
