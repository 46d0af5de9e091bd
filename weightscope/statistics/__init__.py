"""From sketches to columns, in families: elements, laws, lines, spectra, pairs.

A family imports only those named before it. A file holds a formula, its columns and its Statistic:
pure functions of numpy and scipy. `series` has no sketches: its functions take the values of one
statistic over the layers, those of `lineage` samples and products of two models.
"""
