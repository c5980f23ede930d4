"""Train a linear classifier on the wine data and log it to MLflow."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # a compute node has no screen

import matplotlib.pyplot as plt
import mlflow
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    arguments = parse_arguments()
    wine = load_wine(as_frame=True)
    x_train, x_test, y_train, y_test = train_test_split(
        wine.data,
        wine.target,
        test_size=arguments.test_size,
        random_state=arguments.seed,
        stratify=wine.target,
    )
    with mlflow.start_run():
        mlflow.log_params(vars(arguments))
        model = train(arguments, x_train, y_train)
        predicted = model.predict(x_test)
        accuracy = accuracy_score(y_test, predicted)
        mlflow.log_metrics({"accuracy": accuracy, "f1_macro": f1_score(y_test, predicted, average="macro")})
        mlflow.log_figure(confusion_matrix(y_test, predicted, wine.target_names), "confusion-matrix.png")
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(x_train, predicted),
            # Told rather than found out, which takes MLflow longer than the training.
            pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "pandas")],
        )
        Path("report.txt").write_text(f"accuracy {accuracy:.4f}\n")
        print(f"accuracy {accuracy:.4f}", flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alpha", type=float, default=0.001)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--test-size", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def train(arguments, x_train, y_train):
    """Go through the data once an epoch, and log how the loss falls."""
    scaler = StandardScaler().set_output(transform="pandas")
    scaled = scaler.fit_transform(x_train)
    classifier = SGDClassifier(loss="log_loss", alpha=arguments.alpha, random_state=arguments.seed)
    for epoch in range(1, arguments.epochs + 1):
        classifier.partial_fit(scaled, y_train, classes=sorted(y_train.unique()))
        loss = log_loss(y_train, classifier.predict_proba(scaled))
        mlflow.log_metric("log_loss", loss, step=epoch)
        print(f"epoch {epoch:3d}: log loss {loss:.4f}", flush=True)
    return make_pipeline(scaler, classifier)


def confusion_matrix(y_test, predicted, names) -> plt.Figure:
    figure, axes = plt.subplots(figsize=(5, 4))
    ConfusionMatrixDisplay.from_predictions(y_test, predicted, display_labels=names, ax=axes)
    axes.set_title("Wine: test data")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    main()
