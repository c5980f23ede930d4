"""One module or package for each way to reach a site; `base` is what they have in common."""
