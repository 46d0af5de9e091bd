"""From sketches to columns, by family: elements, laws, lines, spectra, each importing only families named before it.

A file holds a formula, its columns and its Statistic. Pure functions of numpy and scipy.
"""
