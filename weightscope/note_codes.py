"""The catalogue of the codes of notes, by what they are about.

No code is part of another: `"memory" in note_codes` tests one code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A code of notes: its stable name, and its meaning in one sentence."""

    name: str
    meaning: str


NOTES = (
    # how a tensor is stored
    Code(
        "type-not-decoded", "The type has no real values to measure: complex, 6-bit, bit patterns."
    ),
    Code("codes-not-decoded", "The tensor has codes of a quantised layout, not weights."),
    Code("too-many-dimensions", "The tensor has more dimensions than are measured."),
    Code("implausible-shape", "One dimension is 0 and the others have an impossible product."),
    Code("unknown-field", "The header has a field of this tensor that the format does not define."),
    Code("no-data", "The tensor is a meta tensor: it has a shape and no data."),
    Code("not-strided", "The tensor is sparse or nested: its stored values are not a matrix."),
    Code("lazy-negation", "A negation is pending that torch does not resolve for this type."),
    Code("expanded", "The tensor is a view in which one stored element represents many."),
    Code("overlapping", "The tensor shares bytes of the file with another one."),
    Code("flat-parameter", "A flat parameter of FSDP: all weights of a module in one vector."),
    Code("odd-name", "The name is suspicious: empty, a path, or with invisible characters."),
    Code("unaligned-expert", "A 4-bit expert of a stack does not begin at a whole byte."),
    Code("unscaled-lora", "The scale of a LoRA update is unknown; the product has scale 1."),
    Code("dora", "The update of a DoRA adapter is measured without its magnitudes."),
    Code("lone-factor", "A LoRA factor without its partner is measured alone."),
    Code("adapter-factor", "A factor of another adapter type (LoHa, AdaLoRA) is measured alone."),
    Code("lone-weight-norm", "Parts of a mismatched weight norm are measured alone."),
    Code(
        "before-parametrisation",
        "The model computes its weight from this tensor: spectral norm, mask.",
    ),
    # place of a tensor
    Code("orientation-unknown", "Whether rows are outputs or inputs is unknown."),
    Code(
        "not-split-needs-config",
        "A fused tensor is not split; config.json would determine its parts.",
    ),
    Code(
        "not-split-needs-rule",
        "A fused tensor is not split; a rule of --name-map can define its parts.",
    ),
    Code("read-as-matrix", "A tensor of three or more dimensions is measured as one matrix."),
    Code("optimizer", "Optimizer state, random states and averages are listed, never measured."),
    Code("heads-unknown", "The boundaries of heads are unknown; the matrix is not split."),
    # what an analysis does not apply to
    Code("vector", "A vector has no statistics of rows, columns or singular values."),
    Code("buffer", "A buffer is not a weight: only its NaN and Inf are counted."),
    Code("depthwise", "A depthwise kernel or a bank of filters has no spectrum."),
    Code("memory", "A measurement exceeds the memory limit; the text names a sufficient --memory."),
    Code("on-cpu", "The GPU has too little memory for the tensor: the CPU measured it."),
    # elements
    Code("no-elements", "The tensor is empty."),
    Code("nothing-finite", "No element is finite."),
    Code(
        "non-finite",
        "Elements are NaN or Inf: they are counted and excluded, or the statistics are null.",
    ),
    Code("overflow-squared", "Squares overflow float64: std and the spectrum are null."),
    Code("lines-overflow", "Squares of elements overflow float64: statistics of rows are null."),
    Code("bool-bytes", "BOOL bytes other than 0 and 1 are counted as true."),
    Code("wide-bins", "Bins of the counted values are too wide relative to the spread."),
    Code("constant", "All values are equal, or equal up to rounding."),
    Code("small-spread", "The spread is too small relative to the mean for sums in float64."),
    Code("zero-iqr", "The interquartile range is 0: half of the values are identical."),
    Code("no-signal", "All weights are 0 or underflow when squared: quantisation has no signal."),
    Code("lossless", "Quantisation changes nothing: no signal-to-noise ratio is finite."),
    # laws
    Code("nothing-to-fit", "No weight is finite and nonzero."),
    Code("few-values", "Fewer than three distinct values: no law is fitted."),
    Code("few-weights", "Too few weights for a pattern label."),
    Code("centre-pruned", "Zeros stand for unknown weights near zero, as after pruning."),
    Code("zeros-left-out", "An excess of exact zeros was excluded from the fits."),
    Code("beta-at-bound", "The shape of the generalised Gaussian is at the bound of its search."),
    Code(
        "nu-at-bound", "The degrees of freedom of Student's t are at the lower bound of the search."
    ),
    Code("not-converged", "The search for a law's parameters ended before it found a maximum."),
    # rows and columns
    Code("one-line", "A single row or column is not a matrix."),
    Code("few-lines", "Fewer than two rows or columns are nonzero."),
    Code("zero-lines", "Rows or columns of zeros were excluded."),
    Code("no-lags", "The spread is too small relative to the mean for correlations of neighbours."),
    Code("no-balancing", "Row and column scales do not converge: there is no balanced matrix."),
    Code("uneven-lines", "The spread of rows or columns is over twice its null."),
    Code("fixed-table", "The values are those of a mask or a table: findings are `info`."),
    Code("rows", "The rows of a finding, by number."),
    Code("columns", "The columns of a finding, by number."),
    Code("not-in-base", "The base has no tensor of this name."),
    Code("unlike-base", "The tensor of this name in the base has another shape or type."),
    # spectra
    Code("zero-matrix", "Every element is zero."),
    Code(
        "thin-product",
        "The matrix is a product of thin factors: all other singular values are exactly zero.",
    ),
    Code("rounding", "Some singular values may be rounding errors."),
    Code("no-power-law", "The tail has too few different values for a power law."),
    Code("poor-power-law", "The tail is too short, or its fit to a power law is poor."),
    Code("no-bulk", "Fewer than 10 singular values above rounding lie below the spikes."),
    Code(
        "unclean-bulk",
        "There are too many spikes, or the bulk differs from the Marchenko-Pastur law.",
    ),
    Code(
        "no-null-distance",
        "The elements hardly vary relative to their mean: no distance from the null.",
    ),
    Code("no-diagonal", "The diagonal of a product is not computed."),
    Code("few-singular-values", "Too few singular values for an effective depth."),
    Code("depth-at-end", "The effective depth is at the end of its table, and may be larger."),
    Code("long-shape", "The effective depth of a long shape grows with its length."),
    Code("no-null-sample", "A statistic of randomised matrices is missing."),
    # pairs of two checkpoints
    Code("changed-lines", "The rows of B that differ from A, where some do not."),
    Code(
        "pairs-left-out", "Elements that are NaN or Inf in one of the tensors are left out of all."
    ),
    Code("zero-norm", "A, B or a task vector is zero everywhere: ratios to its norm are null."),
    Code("collinear", "The delta of a source is a sum of multiples of others: it has no share."),
    Code("few-elements", "A merge has no more elements than sources: shares have no error."),
    Code("unrelated", "The checkpoints are unrelated: their difference says nothing of a change."),
    Code("shapes-differ", "The shapes differ: only laws are compared, and layers have no cosine."),
    Code("lines-differ", "The common rows of two shapes do not match: only the laws are compared."),
    Code("no-delta", "A tuning has no difference from the base in this tensor."),
    Code("no-slice", "No rule says which rows and columns of A became those of B."),
    Code("no-pairs", "No tensor of a model has a partner in a candidate."),
    Code(
        "no-matrices",
        "No pair of matrices has a cosine: whether two models are related is not known.",
    ),
    Code("several-partners", "Several tensors of two checkpoints fit each other: none is paired."),
    Code(
        "head-order",
        "Rows of q or k are in another order in the other checkpoint: only laws are compared.",
    ),
    Code("common-lines", "Shapes differ in one length: only the common lines are compared."),
    # series over the layers
    Code("few-layers", "The series has fewer layers than a line (3) or a trend (5) needs."),
    Code("many-layers", "The slopes of a long series are those of 2000 layers, evenly spaced."),
    Code("no-layer", "No layer has a value of the statistic, or this layer has none."),
    Code("layers-left-out", "Some layers have no value: they are gaps of the series."),
    Code("experts-left-out", "Some experts of a layer have no value: the median omits them."),
    Code("types-differ", "Layers are stored in different types: no trend is judged."),
    Code(
        "sizes-differ",
        "Layers have different numbers of elements, which the statistic follows: no trend.",
    ),
    Code("width-changes", "The number of inputs changes with the layer, and std with it."),
    Code("no-standard-error", "The standard error of the statistic is unknown: no trend."),
    Code("over-experts", "The value of a layer is the median over its experts or heads."),
    Code("shared-layers", "Layers share the tensors of other layers, which are counted once."),
    Code("no-outlier-layers", "Too many layers lie far from the closer line: none is an outlier."),
    Code("no-effect", "The output of the model does not depend on the tensor."),
    Code("no-product", "The matrix composes with no other: the one before is missing or unlike."),
    Code("linear-path", "The product of two matrices omits the activation between them."),
    Code("equal-layers", "Layers have equal matrices."),
    Code("beyond-target", "Layers have a std above 1.2 times the target of --target."),
    # against a stored report
    Code(
        "other-definition",
        "The definition of a column changed since the report was stored: no change is computed.",
    ),
    Code("other-identity", "Role, place, size or type differ between the report and the model."),
    # groups
    Code("group", "The number of tensors of a group with notes, and the rarest note."),
)
