"""Notes: reasons for missing values and remarks on a tensor, as records of any layer.

Programs compare the code and the values of a note; its text is for people and never parsed. NOTES
is the catalogue of all codes. No code is part of another: `"memory" in note_codes` tests one code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

COLUMNS = frozenset({"note", "note_codes"})  # columns of a row with the texts and the codes
OPEN = "..."  # replaces a number that differs between notes
RUNS = 8  # slices of rows in a text

Value = str | int | float


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
    Code("zeros-left-out", "An excess of exact zeros was excluded from the fits."),
    Code("beta-at-bound", "The shape of the generalised Gaussian is at the bound of its search."),
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
    Code("no-bulk", "All singular values above rounding are spikes."),
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
    Code("pairs-left-out", "Elements that are NaN or Inf in A or B are left out of both."),
    Code("zero-norm", "A or B is zero everywhere: ratios to its norm are null."),
    Code("unrelated", "The checkpoints are unrelated: their difference says nothing of a change."),
    Code("shapes-differ", "The shapes differ: only the laws are compared."),
    Code("lines-differ", "The common rows of two shapes do not match: only the laws are compared."),
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
    Code("equal-layers", "Neighbouring layers have equal matrices."),
    # against a stored report
    Code(
        "other-definition",
        "The definition of a column changed since the report was stored: no change is computed.",
    ),
    Code("other-identity", "Role, place, size or type differ between the report and the model."),
    # groups
    Code("group", "The number of tensors of a group with notes, and the rarest note."),
)
CODES = {code.name: code for code in NOTES}


@dataclass(frozen=True)
class Note:
    """One remark: a code for programs, a text for people, and the tensor and rows that it concerns.

    The text is `template` with `values`; a summary of several notes replaces numbers by `...`.
    """

    code: str
    text: str
    tensor: str = ""  # "" = the tensor of the row that has the note
    rows: tuple[int, ...] = ()  # rows or columns that are its evidence, from 0
    template: str = ""  # the text with its values in braces, "" where it has none
    values: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(
                f"expected a code of NOTES in notes.py; found {self.code!r}; add it there"
            )

    @classmethod
    def of(
        cls, code: str, template: str, tensor: str = "", rows: tuple[int, ...] = (), **values: Value
    ) -> Note:
        """A note whose text is a format string with values; `{rows}` in it is the rows as slices.

        >>> Note.of("zero-lines", "{n} zero rows left out", n=3).text
        '3 zero rows left out'
        >>> Note.of("rows", "dead {rows}", rows=(4, 5)).text
        'dead 4:6'
        """
        text = _filled(template, values, rows)
        return cls(code, text, tensor, rows, template, tuple(values.items()))

    def value(self, name: str) -> Value:
        """A value of the text by name."""
        return dict(self.values)[name]

    @property
    def numbers(self) -> frozenset[str]:
        """Names of values that may differ between notes on one line: numbers, and the rows."""
        names = {name for name, value in self.values if not isinstance(value, str)}
        if self.rows:
            names.add("rows")
        return frozenset(names)

    @property
    def alike(self) -> tuple[str, str]:
        """The code and the text without numbers: equal for notes that differ only in numbers."""
        return self.code, self.left_open(self.numbers)

    def left_open(self, names: Collection[str]) -> str:
        """The text with `...` for some of its values.

        >>> Note.of("memory", "needs {need} of {has}", need=3, has=2).left_open({"need"})
        'needs ... of 2'
        """
        if not self.template:
            return self.text
        return _filled(self.template, dict(self.values), self.rows, names)


Notes = tuple[Note, ...]


def united(*parts: Note | Iterable[Note] | None) -> Notes:
    """Single notes and groups of notes as one tuple, in order, each once; None is skipped.

    >>> zero, constant = Note("zero-matrix", "zero matrix"), Note("zero-iqr", "IQR is 0")
    >>> [note.code for note in united(zero, None, (constant, zero))]
    ['zero-matrix', 'zero-iqr']
    """
    notes: dict[Note, None] = {}
    for part in parts:
        if isinstance(part, Note):
            notes[part] = None
        elif part is not None:
            notes.update(dict.fromkeys(part))
    return tuple(notes)


def notes_of(values: Mapping[str, object]) -> Notes:
    """The notes of a row before it is finished: its value "notes".

    >>> notes_of({"std": 1.0})
    ()
    """
    notes = values.get("notes", ())
    assert isinstance(notes, tuple)
    return notes


def texts(notes: Iterable[Note]) -> str | None:
    """The texts joined, each once; None without notes.

    >>> texts([Note("zero-matrix", "zero matrix"), Note("zero-iqr", "IQR is 0")])
    'zero matrix; IQR is 0'
    """
    unique = dict.fromkeys(note.text for note in notes)
    return "; ".join(unique) or None


def codes(notes: Iterable[Note]) -> str | None:
    """The codes joined by commas, each once; None without notes."""
    unique = dict.fromkeys(note.code for note in notes)
    return ",".join(unique) or None


def slices(numbers: tuple[int, ...]) -> str:
    """Ascending row numbers as slices, the first eight.

    >>> slices((3, 32, 33, 34, 90)), slices(tuple(range(0, 20, 2)))
    ('3, 32:35, 90', '0, 2, 4, 6, 8, 10, 12, 14 and 2 more')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ", ".join(_slice(run[0], run[-1]) for run in runs[:RUNS])
    more = sum(len(run) for run in runs[RUNS:])
    if more:
        return f"{text} and {more} more"
    return text


def _slice(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}:{last + 1}"


def _filled(
    template: str, values: Mapping[str, Value], rows: tuple[int, ...], open: Collection[str] = ()
) -> str:
    """The template with its values; `open` names those that become `...`."""
    by_name = {"rows": slices(rows), **values}
    parts = []
    # Formatter.parse instead of str.format: an open number would not fit its format, as in {x:.1f}
    for literal, name, spec, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(OPEN if name in open else format(by_name[name], spec or ""))
    return "".join(parts)
