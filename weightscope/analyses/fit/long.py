"""`fit --long`: one row for each law, with its parameters and its goodness of fit."""

from __future__ import annotations

from collections.abc import Iterator

from ...columns import Column
from ...notes import united
from ...sketches import ValueCounts
from ...statistics.laws import LAWS
from ...statistics.laws.best_law import not_converged
from ...statistics.laws.fitting import fit_laws

# In the order of the laws; laws share names such as scale.
PARAMETERS = tuple(dict.fromkeys(p for law in LAWS for p in law.parameters))
LONG = (
    Column("law", "str", "family of distributions", shown=True),
    Column("loglik", "float", "log-likelihood per weight", "nats/weight", version=2),
    Column("aic", "float", "Akaike's criterion, 2k - 2 ln L of all weights", version=2),
    Column(
        "bic", "float", "Bayesian criterion, k ln N - 2 ln L of all weights", shown=True, version=2
    ),
    Column(
        "ks",
        "float",
        "greatest distance between the empirical and the fitted distribution",
        shown=True,
        version=2,
    ),
    Column("w1", "float", "Wasserstein-1 distance to the fitted law", "std", shown=True, version=2),
    Column(
        "kl_bits",
        "float",
        "information lost by the fitted law; null below 100 weights",
        "bits/weight",
        shown=True,
        version=2,
    ),
    Column("at_bound", "bool", "a parameter ended at its bound: the law is a limit of its family"),
    *(
        Column(p, "float", f"parameter {p}, null where the law has none of that name", version=2)
        for p in PARAMETERS
    ),
)


def law_rows(counts: ValueCounts | None) -> Iterator[dict[str, object]]:
    """The values of each fitted law; one row of nulls with the reason where none can be fitted."""
    if counts is None:
        yield {}
        return
    fits = fit_laws(counts)
    if not fits.fits:
        yield {"notes": united(fits.reason)}
        return
    for fit in fits.fits.values():
        yield {
            "law": fit.law,
            "loglik": fit.loglik / fit.n,
            "aic": fit.aic,
            "bic": fit.bic,
            "ks": fit.ks,
            "w1": fit.w1,
            "kl_bits": fit.kl_bits,
            "at_bound": fit.at_bound,
            **fit.params,
            "notes": united(not_converged([fit])),
        }
