"""The job script: a pure function of a run."""
