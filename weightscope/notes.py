"""Notes: why a value is missing, or what is odd about a tensor, as records that any layer may make.

Programs look at the code and the values of a note; its text is for people, and no code parses it. NOTES is the
catalogue of all codes. No code is part of another, so that `"memory" in note_codes` means that code and no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

COLUMNS = frozenset(
    {"note", "note_codes"}
)  # what rows have of their notes: the texts, and the codes
OPEN = "..."  # in place of a number that is left open
RUNS = 8  # slices of rows that a text has

Value = str | int | float


@dataclass(frozen=True)
class Code:
    """One kind of note: its stable name, and what it means in one sentence."""

    name: str
    meaning: str


NOTES = (
    # how a tensor is stored
    Code(
        "type-not-decoded",
        "The element type has no real values that can be measured: complex, 6-bit, bit patterns.",
    ),
    Code(
        "codes-not-decoded",
        "The tensor holds codes of a quantised layout, which are no weights until decoded.",
    ),
    Code("too-many-dimensions", "The tensor has more dimensions than are measured."),
    Code("implausible-shape", "A zero in the shape hides an impossible size."),
    Code("unknown-field", "The header has a field of this tensor that the format does not know."),
    Code("no-data", "A meta tensor: it has a shape and no data."),
    Code("not-strided", "A sparse or nested layout: the stored values are not a matrix."),
    Code("lazy-negation", "A pending negation that torch does not resolve for this type."),
    Code("expanded", "A view in which one stored element stands for many."),
    Code("overlapping", "The tensor shares bytes of the file with another one."),
    Code(
        "odd-name",
        "The name of the tensor looks suspicious: empty, like a path, or with invisible characters.",
    ),
    Code(
        "unaligned-expert", "An expert of a stack of 4-bit numbers does not begin on a whole byte."
    ),
    Code(
        "unscaled-lora", "The scale of a LoRA update is unknown, so that the product has scale 1."
    ),
    Code("dora", "A DoRA adapter: the update is measured before its magnitudes."),
    Code("lone-factor", "A LoRA factor that is no half of a pair: it is measured alone."),
    Code(
        "adapter-factor",
        "A factor of an adapter that is no LoRA pair, as LoHa or AdaLoRA: it is measured alone.",
    ),
    Code(
        "lone-weight-norm",
        "Half of a weight norm, or two tensors that make none: each is measured alone.",
    ),
    Code(
        "before-parametrisation",
        "The model derives its weight from this tensor: a spectral norm, a mask, another.",
    ),
    # where a tensor stands
    Code("orientation-unknown", "Whether rows are outputs or inputs is unknown."),
    Code(
        "not-split-needs-config",
        "A fused tensor stays whole; config.json beside the weights would tell its parts.",
    ),
    Code(
        "not-split-needs-rule",
        "A fused tensor stays whole; a rule of --name-map can tell its parts.",
    ),
    Code("read-as-matrix", "A tensor of three or more dimensions is read as one matrix."),
    Code("optimizer", "Optimizer state or an average copy: it is listed and never measured."),
    Code("heads-unknown", "Attention heads cannot be told apart, so that the matrix stays whole."),
    # what an analysis does not apply to
    Code("vector", "A vector: it has no statistics of rows, columns or singular values."),
    Code("buffer", "A buffer is no weight: at most NaN and Inf are counted."),
    Code("depthwise", "A depthwise kernel or a bank of filters: it has no spectrum."),
    Code(
        "memory", "A measurement does not fit the memory; the text names the budget that would do."
    ),
    # elements
    Code("no-elements", "The tensor is empty."),
    Code("nothing-finite", "No element is finite."),
    Code(
        "non-finite",
        "NaN or Inf among the elements: counted, left out, or the reason why a value is missing.",
    ),
    Code(
        "overflow-squared",
        "Squares of the elements leave float64: no standard deviation, no spectrum.",
    ),
    Code(
        "lines-overflow",
        "Squares of the elements leave float64: rows and columns are not compared.",
    ),
    Code("bool-bytes", "BOOL bytes that are neither 0 nor 1 are counted as true."),
    Code("wide-bins", "Bins of the counted values are too wide beside the spread."),
    Code("constant", "All values are equal, or equal but for rounding."),
    Code("no-core", "Half of the values or more are equal, so that there is no robust scale."),
    Code(
        "no-signal",
        "All weights are zero or too small to square, so that quantisation has no signal.",
    ),
    Code("lossless", "Quantisation changes nothing, so that no signal-to-noise ratio is finite."),
    # laws
    Code("nothing-to-fit", "No finite weight other than zero."),
    Code("few-values", "Fewer than three distinct values: no law is fitted."),
    Code("few-weights", "Too few weights for a pattern label."),
    Code("zeros-left-out", "Exact zeros were an excess and left the fits."),
    Code(
        "beta-at-bound", "The shape of the generalised Gaussian ended at the bound of its search."
    ),
    # rows and columns
    Code("one-line", "A single row or column is no matrix."),
    Code("few-lines", "Fewer than two rows or columns are not zero."),
    Code("zero-lines", "Rows or columns of zeros were left out."),
    Code("no-lags", "The spread is too small beside the mean for correlations of neighbours."),
    Code("no-balancing", "Row and column scales do not settle: the matrix has no balanced core."),
    Code(
        "uneven-lines",
        "The spread of rows or columns exceeds twice its null and can fake spikes and depth.",
    ),
    Code("rows", "The rows behind a finding, by number."),
    Code("columns", "The columns behind a finding, by number."),
    Code("not-in-base", "The base has no tensor of this name."),
    Code("unlike-base", "The tensor of this name in the base has another shape or type."),
    # spectra
    Code("zero-matrix", "Every element is zero."),
    Code(
        "thin-product",
        "A product of thin factors: the other singular values are zero by construction.",
    ),
    Code("rounding", "Singular values that may be rounding."),
    Code("no-power-law", "The tail has too few different values for a power law."),
    Code(
        "poor-power-law",
        "The tail is too short, or too far from a power law, for its exponent to mean one.",
    ),
    Code("no-bulk", "Nothing above rounding but spikes."),
    Code(
        "unclean-bulk", "Too many spikes, or a bulk that does not follow the Marchenko-Pastur law."
    ),
    Code(
        "no-chance",
        "The elements hardly vary beside their mean, so that there is no distance to chance.",
    ),
    Code("no-diagonal", "The diagonal of a product is not summed."),
    Code("few-singular-values", "Too few singular values for an effective depth."),
    Code("depth-at-end", "The effective depth is at the end of its table: it may be more."),
    Code("long-shape", "The effective depth of a long shape grows with its length."),
    Code("nothing-drawn", "A reading of matrices of chance is missing."),
    # groups
    Code("group", "How many tensors of a group have notes, and the first of the rarest."),
)
CODES = {code.name: code for code in NOTES}


@dataclass(frozen=True)
class Note:
    """One remark: what it is by its code, what a person reads by its text, and the tensor and rows it is about.

    `values` are what the text was made of; of them the numbers may be left open, where many notes are told in one line.
    """

    code: str
    text: str
    tensor: str = ""  # "" = that of the row or record that has the note
    rows: tuple[int, ...] = ()  # lines that are its evidence, from 0
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
        """A note whose text is a format string, filled with values; `{rows}` in it stands for the rows as slices.

        >>> Note.of("zero-lines", "{n} zero rows left out", n=3).text, Note.of("rows", "dead {rows}", rows=(4, 5)).text
        ('3 zero rows left out', 'dead 4:6')
        """
        text = _filled(template, values, rows)
        return cls(code, text, tensor, rows, template, tuple(values.items()))

    def value(self, name: str) -> Value:
        """One of the values that the text was made of."""
        return dict(self.values)[name]

    @property
    def numbers(self) -> frozenset[str]:
        """The names of what may differ among alike notes: numbers, and the rows."""
        named = {name for name, value in self.values if not isinstance(value, str)}
        return frozenset(named | ({"rows"} if self.rows else set()))

    @property
    def alike(self) -> tuple[str, str]:
        """What notes have in common that differ in their numbers alone: the code, and the text without numbers."""
        return self.code, self.left_open(self.numbers)

    def left_open(self, names: Collection[str]) -> str:
        """The text with some of its values left open.

        >>> Note.of("memory", "needs {need} of {has}", need=3, has=2).left_open({"need"})
        'needs ... of 2'
        """
        return (
            _filled(self.template, dict(self.values), self.rows, names)
            if self.template
            else self.text
        )


Notes = tuple[Note, ...]


def united(*found: Note | Iterable[Note] | None) -> Notes:
    """Notes and groups of notes as one group, in order, each once; None is no note.

    >>> zero, core = Note("zero-matrix", "zero matrix"), Note("no-core", "no core")
    >>> [note.code for note in united(zero, None, (core, zero))]
    ['zero-matrix', 'no-core']
    """
    return tuple(dict.fromkeys(note for part in found if part is not None for note in _each(part)))


def notes_of(values: Mapping[str, object]) -> Notes:
    """The notes of a row that is being made: what stands under "notes" among its values.

    >>> notes_of({"std": 1.0})
    ()
    """
    found = values.get("notes", ())
    assert isinstance(found, tuple)
    return found


def texts(notes: Iterable[Note]) -> str | None:
    """The texts as one, each once; None where there is none.

    >>> texts([Note("zero-matrix", "zero matrix"), Note("no-core", "no core")])
    'zero matrix; no core'
    """
    return "; ".join(dict.fromkeys(note.text for note in notes)) or None


def codes(notes: Iterable[Note]) -> str | None:
    """The codes as one, joined by commas, each once; None where there is none."""
    return ",".join(dict.fromkeys(note.code for note in notes)) or None


def slices(lines: tuple[int, ...]) -> str:
    """Ascending lines as slices, the first eight.

    >>> slices((3, 32, 33, 34, 90)), slices(tuple(range(0, 20, 2)))
    ('3, 32:35, 90', '0, 2, 4, 6, 8, 10, 12, 14 and 2 more')
    """
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]}:{run[-1] + 1}" for run in runs[:RUNS]]
    left = sum(len(run) for run in runs[RUNS:])
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _each(part: Note | Iterable[Note]) -> Iterable[Note]:
    return (part,) if isinstance(part, Note) else part


def _filled(
    template: str, values: Mapping[str, Value], rows: tuple[int, ...], open: Collection[str] = ()
) -> str:
    return "".join(_parts(template, {"rows": slices(rows), **values}, open))


def _parts(template: str, values: Mapping[str, Value], open: Collection[str]) -> Iterator[str]:
    for literal, name, spec, _ in Formatter().parse(template):
        yield literal
        if name is not None:
            yield OPEN if name in open else format(values[name], spec or "")
