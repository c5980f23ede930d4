"""Statistics of wines."""
