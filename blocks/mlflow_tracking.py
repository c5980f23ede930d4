"""The block that says where runs are tracked."""

from __future__ import annotations

from uuid import UUID

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from blocks.logo import LOGO_URL
from mantik_tasks.tracking.connection import MlflowConnection


class MlflowTracking(Block):
    """An MLflow tracking server, the experiment that runs go to, and what it takes to log in.

    Example:
        Track a run where a stored block says:
        ```python
        from blocks import MlflowTracking
        from mantik_tasks import run_project
        from prefect import flow

        @flow
        async def train():
            tracking = await MlflowTracking.aload("BLOCK_NAME")
            return await run_project("examples/wine", entry_point="train", tracking=tracking)
        ```

        Or from code that is not asynchronous:
        ```python
        from blocks import MlflowTracking

        tracking = MlflowTracking.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "MLflow Tracking"
    _block_type_slug = "mlflow-tracking"
    _logo_url = LOGO_URL
    _documentation_url = HttpUrl("https://mlflow.org/docs/latest/ml/tracking/")

    # A wrong value may be a secret in the wrong field; errors end up in logs and states.
    model_config = ConfigDict(hide_input_in_errors=True)

    tracking_uri: str = Field(
        title="Tracking URI", description="URL of the tracking server: https://mlflow.example.org."
    )
    experiment_name: str = Field(
        "Default", title="Experiment", description="Experiment that runs go to; it is made if it is missing."
    )
    token: SecretStr | None = Field(
        None, title="Token", description="Bearer token, if the server asks for one."
    )
    username: str = Field("", title="User name", description="User name, if the server asks for one.")
    password: SecretStr | None = Field(
        None, title="Password", description="Password that goes with the user name."
    )
    ca_bundle: str = Field(
        "", title="CA bundle", description="File of certificates to trust, on the worker's machine."
    )

    @property
    def document_id(self) -> UUID | None:
        """Id under which this block is saved, if it is."""
        return self._block_document_id

    def connect(self) -> MlflowConnection:
        """Return the connection to the tracking server.

        Raises:
            ValidationError: If the fields don't make one.
        """
        return MlflowConnection(
            tracking_uri=self.tracking_uri,
            experiment_name=self.experiment_name,
            token=self.token,
            username=self.username or None,
            password=self.password,
            ca_bundle=self.ca_bundle or None,
        )
