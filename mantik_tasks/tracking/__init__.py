"""Runs as MLflow knows them."""
