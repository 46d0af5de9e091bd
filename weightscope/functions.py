"""The analyses as typed functions: written by docs/generate.py, run `make docs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .api import answer
from .keywords import named
from .reports.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from .checkpoints import Source

__all__ = ["compare", "depth", "fit", "ls", "outliers", "spectrum"]


@named
def compare(
    *models: Source,
    by: str = "tensor",
    spectrum: bool = False,
    top: int = 0,
    set: bool = False,
    mix: bool = False,
    nearest: bool = False,
    bootstrap: int = 0,
    seed: int = 0,
    lineage: bool = False,
    rename: str | Sequence[str] = (),
    strip_prefix: str | Sequence[str] = (),
    provenance_a: str | None = None,
    panels: bool = True,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    device: str = "auto",
    memory: int | str | None = None,
    threads: int | None = None,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """What changed between two checkpoints, A and B: status, size, direction and law of the
    difference of each tensor. Of more than two: each step of a series, or a set of tunings.

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of compare:
        by: One row per pair of tensors (default), role, layer or model.
        spectrum: Also compute the spectrum of the difference and the overlap of singular vectors.
        top: List the N elements with the largest |difference| instead.
        set: The MODELs after the first are tunings of it: compare their task vectors with each
            other.
        mix: With --set: the last MODEL as the base plus shares of the other tunings, by least
            squares.
        nearest: Rank the MODELs after the first by how likely the first was made from them.
        bootstrap: The MODELs after the first are seeds: mean of each column over them, with 95%
            intervals from N resamples.
        seed: Seed of --bootstrap; default 0.
        lineage: Find the rule that made B from A: slices, layers, permuted neurons, experts,
            rotations; done without this option where shapes or layers differ.
        rename: Names of A that match the regular expression OLD are NEW in B.
        strip_prefix: Ignore this prefix of names, in A and in B.
        provenance_a: Provenance of a stored report as A, where it is not beside the report.
        panels: Keep the laws for a picture.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).
        device: cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;
            --device cuda takes one.
        memory: Limit for our buffers, like 512MiB; default a quarter of the free memory.
        threads: Workers; default one per CPU core.

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> compare("demo:gpt", "demo:gpt", by="model", columns=("kind", "same")).rows[0]["same"]
    29
    """
    return answer("compare", **locals())


@named
def depth(
    *models: Source,
    stat: str | Sequence[str] = (),
    spectrum: bool = False,
    per_layer: bool = False,
    panels: bool = True,
    sparkline: bool = False,
    law: str | None = None,
    target: float | None = None,
    coupling: bool = False,
    of: str | Sequence[str] = (),
    layer_map: bool = False,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    device: str = "auto",
    memory: int | str | None = None,
    threads: int | None = None,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """How do statistics of the weights change with depth? Slope, trend and unusual layers of each
    role.

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of depth:
        stat: Follow this numeric column of fit, spectrum or outliers; default std, gain, kurtosis,
            beta and max_z.
        spectrum: Also alpha, stable_rank, spikes, effective_depth, product_stable_rank and
            norm_inf.
        per_layer: One row per layer, with the value of the statistic.
        panels: Keep the series for a picture.
        sparkline: A small picture of the series in each row.
        law: The distance to this initialisation, named or not.
        target: The std that tvr and the scheme lir are relative to; default 0.02. Layers above 1.2
            targets are in the note.
        coupling: Correlations between vectors on one index set of a block: means of rows and
            columns, log scales, norm gains, biases.
        of: With --coupling: only means or only scales of matrices; default both.
        layer_map: The cosine of every two layers of a role, on a sample of rows.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).
        device: cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;
            --device cuda takes one.
        memory: Limit for our buffers, like 512MiB; default a quarter of the free memory.
        threads: Workers; default one per CPU core.

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> depth("demo:gpt", stat="std", role="mlp.up").rows[0]["layers"]
    4
    """
    return answer("depth", **locals())


@named
def fit(
    *models: Source,
    by: str = "tensor",
    long: bool = False,
    balance: bool = False,
    coding: bool = False,
    counts: bool = False,
    panels: bool = True,
    histogram: bool = False,
    seed: int = 0,
    draws: int = 1,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    device: str = "auto",
    memory: int | str | None = None,
    threads: int | None = None,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """Which law do the weights follow, how well, and are they i.i.d.?

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of fit:
        by: One row per tensor (default), role, layer or model.
        long: One row for each law: parameters, likelihood, goodness.
        balance: Also fit the matrix after balancing: without row and column scales.
        coding: Also compute entropy and coding cost.
        counts: Write the counted cells to a table of their own.
        panels: Keep the densities for a picture.
        histogram: A small histogram beside each row.
        seed: Seed of the random permutations of --balance; default 0.
        draws: Number of random permutations of --balance; default 1.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).
        device: cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;
            --device cuda takes one.
        memory: Limit for our buffers, like 512MiB; default a quarter of the free memory.
        threads: Workers; default one per CPU core.

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> list(fit("demo:gpt", by="role", columns=("role", "kind", "std")).table.columns)
    ['role', 'kind', 'std']
    """
    return answer("fit", **locals())


@named
def ls(
    *models: Source,
    by: str = "tensor",
    flat: bool = True,
    metadata: bool = False,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """List the tensors of a checkpoint, from headers alone: roles, shapes, types and bytes.

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of ls:
        by: One row per tensor (default), role, layer, model or dtype.
        flat: One row per layer, on a terminal too.
        metadata: List the metadata of the file instead of its tensors.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> ls("demo:gpt", by="dtype").rows[0]["dtype"]
    'BF16'
    """
    return answer("ls", **locals())


@named
def outliers(
    *models: Source,
    by: str = "tensor",
    quant: str | Sequence[str] = (),
    top: int = 0,
    top_rows: int = 0,
    base: Source | None = None,
    ignore: str | Sequence[str] = (),
    panels: bool = True,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    device: str = "auto",
    memory: int | str | None = None,
    threads: int | None = None,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """Which weights are anomalous? Extreme, dead, duplicate, untrained and non-finite weights, and
    their quantisation cost.

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of outliers:
        by: One row per tensor (default), role, layer or model.
        quant: Also compute the quantisation error of all or some of int8, int4_g128, int4_g32,
            fp8_e4m3, fp8_e4m3_b128, mxfp4, nvfp4.
        top: List the N weights with the largest |z| instead.
        top_rows: List the N rows with the most unusual RMS instead.
        base: Base checkpoint: count the rows that differ from it.
        ignore: Findings to omit.
        panels: Keep the tails for a picture.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).
        device: cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;
            --device cuda takes one.
        memory: Limit for our buffers, like 512MiB; default a quarter of the free memory.
        threads: Workers; default one per CPU core.

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> outliers("demo:gpt", role="head", quant="int8").rows[0]["nan"]
    0
    """
    return answer("outliers", **locals())


@named
def spectrum(
    *models: Source,
    by: str = "tensor",
    svd: bool = False,
    per_head: bool = False,
    balance: bool = False,
    alpha_cut: float | None = None,
    alpha_ci: bool = False,
    null: str | None = None,
    draws: int = 1,
    values: bool = False,
    panels: bool = True,
    seed: int = 0,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    role: str | Sequence[str] = (),
    layers: int | str | Sequence[int] = "",
    min_params: int = 0,
    root: str | None = None,
    strict: bool = False,
    salvage: bool = False,
    follow_symlinks: bool = False,
    name_map: str | Path | None = None,
    split: bool = True,
    fail_fast: bool = False,
    device: str = "auto",
    memory: int | str | None = None,
    threads: int | None = None,
    columns: str | Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    fail_if: str | Sequence[str] = (),
) -> Report:
    """Singular values: ranks, power-law tail, noise bulk and spikes, effective depth.

    Arguments:
        models: paths, `demo:NAME`, open checkpoints or dicts of tensors.

    Options of spectrum:
        by: One row per tensor (default), role, layer or model.
        svd: Use a float64 SVD: full precision of the smallest values, slower.
        per_head: Split q, k, v and o into attention heads, one row per head.
        balance: Also compute spikes, bulk and depth without row and column scales.
        alpha_cut: Fit the power law to squared singular values above X; WeightWatcher uses 1e-5.
        alpha_ci: Also compute a bootstrapped 90% interval of alpha and the goodness of its fit.
        null: Also compute the columns for randomised matrices: shuffle (of the elements), or
            samples of the fitted gaussian or logistic law.
        draws: Number of randomised matrices; default 1.
        values: Write all singular values as a separate table.
        panels: Keep the spectra for a plot.
        seed: Seed of all random numbers; default 0.

    Select:
        include: Only tensors whose name matches.
        exclude: Not tensors whose name matches.
        role: Only roles that match: mlp.down, 'attn.*'.
        layers: Only these layers: 0-3,10.
        min_params: Only tensors of at least N elements.

    Output:
        columns: Only these columns, in this order, or all.
        where: Only rows for which the expression is true.
        sort: Sort by a column; --sort=-COLUMN downwards. Nulls come last.
        limit: Only the first N rows.

    Gate:
        fail_if: Exit 1 if the expression is true for any row.

    Open:
        root: Which dict of a nested training file is the model.
        salvage: Measure the whole tensors and shards of a damaged model; still exits 3.
        follow_symlinks: Follow links of shards and configs that leave the folder.
        name_map: Your own rules for names, before the built-in ones.
        split=False: Keep fused tensors (qkv, gate_up, experts) whole.
        fail_fast: End at the first MODEL that cannot be opened; exits as for it alone.

    Run:
        strict: A tensor that cannot be measured is an error (exit 4).
        device: cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;
            --device cuda takes one.
        memory: Limit for our buffers, like 512MiB; default a quarter of the free memory.
        threads: Workers; default one per CPU core.

    Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or
    trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for a
    row.

    >>> spectrum("demo:gpt-start", columns="spikes", include="*.0.*.o_proj.*").rows[0]["spikes"]
    0
    """
    return answer("spectrum", **locals())
