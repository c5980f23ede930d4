"""Classify wines with a model that was trained before, and log the predictions to MLflow."""

from __future__ import annotations

import argparse

import mlflow
import pandas as pd
from sklearn.datasets import load_wine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-uri", required=True, help="runs:/<run id>/model, for example")
    parser.add_argument("--data", required=True, help="CSV file with the columns of the wine data")
    arguments = parser.parse_args()

    samples = pd.read_csv(arguments.data)
    with mlflow.start_run():
        model = mlflow.sklearn.load_model(arguments.model_uri)
        names = load_wine().target_names
        samples["predicted"] = [names[index] for index in model.predict(samples)]
        samples.to_csv("predictions.csv", index=False)
        mlflow.log_artifact("predictions.csv")
        print(samples["predicted"].to_string(), flush=True)


if __name__ == "__main__":
    main()
