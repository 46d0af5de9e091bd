"""Which panels a picture has, and what is said of those it has not."""

from weightscope.columns import Panel
from weightscope.reports.panels import missing, shown


def panels(*of, note=""):
    return tuple(Panel(str(i), "density", of=values, note=note) for i, values in enumerate(of))


def titles(found):
    return [panel.title for panel in found]


def test_panels_come_in_the_order_of_the_rows():
    """A row's panels together, as they were answered; those of no row stay away.

    Null is a value like any other.
    """
    q, k, v = {"role": "q", "layer": None}, {"role": "k", "layer": 1}, {"role": "v"}
    rows = [
        {"role": "k", "layer": 1, "beta": 2.0},
        {"role": "q", "layer": None},
        {"role": "q", "layer": 2},
    ]
    assert titles(shown(panels(q, k, q, v), rows)) == ["1", "0", "2"]
    assert titles(shown(panels(q, k, q, v), rows[2:])) == []


def test_many_rows_of_one_panel_show_it_once():
    """One row a law, one panel for all of them, at the first that is shown."""
    rows = [
        {"tensor": name, "law": law}
        for name, law in (("b", "normal"), ("a", "normal"), ("b", "laplace"))
    ]
    assert titles(shown(panels({"tensor": "a"}, {"tensor": "b"}), rows)) == ["1", "0"]


def test_a_panel_of_the_whole_report():
    """A panel of no row in particular is shown with any of them, and not without."""
    whole = panels({})
    assert shown(whole, [{"tensor": "a"}, {"tensor": "b"}]) == whole
    assert shown(whole, []) == ()


def test_what_is_missing_is_said_once_for_each_reason():
    """Three names at most; names cannot speak to the terminal; nothing is said of what is drawn."""
    constant = tuple(
        Panel(name, "density", note="one distinct value") for name in ("\x1b[31mw", "b")
    )
    lost = tuple(Panel(name, "density", note="not measured") for name in "cdefg")
    assert missing((*constant[:1], *lost, *panels({}), *constant[1:])) == (
        r"no picture of \x1b[31mw, b: one distinct value",
        "no picture of c, d, e and 2 more: not measured",
    )
    assert missing(panels({})) == ()
    assert missing(()) == ("nothing to draw: no row is shown",)
