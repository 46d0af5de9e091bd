"""Several models in one comparison: which tensors belong together, read once for all pairs."""
