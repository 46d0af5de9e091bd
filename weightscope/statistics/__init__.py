"""From sketches to columns: laws and their fits, moments, nulls, readings. Pure functions of numpy and scipy."""
