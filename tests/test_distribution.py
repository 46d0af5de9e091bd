"""What the package calls itself where it is installed.

And what its messages tell a user to install.
"""

import re
from importlib.metadata import entry_points, metadata
from pathlib import Path

import weightscope

PACKAGE = Path(weightscope.__file__).parent


def test_the_distribution_is_not_the_strangers():
    """The name `weightscope` on the package index belongs to another project.

    Command and import name stay.
    """
    assert metadata("weightscope-cli")["Version"] == weightscope.__version__
    (command,) = entry_points(group="console_scripts", name="weightscope")
    assert command.dist is not None
    assert command.dist.name == "weightscope-cli"


def test_no_message_installs_the_strangers_package():
    """A message names the missing library itself, never an extra of a distribution."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    assert any("pip install " in text for text in texts.values())
    wrong = re.compile(r"install ['\"]?weightscope")
    assert [path.name for path, text in texts.items() if wrong.search(text)] == []
