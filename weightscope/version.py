"""The version of the package, apart from the public names that need what needs it."""

__version__ = "0.1.0"
