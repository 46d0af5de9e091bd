"""An independent check of every column of `fit`, `spectrum` and `outliers`: `make truth`.

Constructed tensors and the demo are written to a file, the command line measures them, and each
column is computed again by code of its own in numpy and scipy, from its definition in
docs/statistics.md. Nothing of weightscope is imported here but its command line. A column is one
function in `definitions`; one without is listed as such in the page of results. `make test` runs a
seeded tenth of the tensors.
"""
