"""The picture of our blocks: MLflow's, whose projects they run.

Prefect accepts no `data:` URL, so a browser without network shows a plain icon instead.
"""

from pydantic import HttpUrl

LOGO_URL = HttpUrl("https://github.com/mlflow.png?size=200")
