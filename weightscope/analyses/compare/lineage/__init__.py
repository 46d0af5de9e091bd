"""Lineage: the rule that made each tensor of B from one of A, where shapes or layers differ."""
