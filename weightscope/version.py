"""The version of the package, in a module without imports: `__init__` and provenance need it."""

__version__ = "0.1.0"
