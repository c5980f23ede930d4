"""The forms that a person fills in in the Prefect UI."""

from blocks.compute_backend import ComputeBackend
from blocks.mlflow_tracking import MlflowTracking

__all__ = ["ComputeBackend", "MlflowTracking"]
