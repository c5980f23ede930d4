"""From a project on this machine to what its run needs."""
