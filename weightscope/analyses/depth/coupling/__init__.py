"""`depth --coupling`: correlations between vectors that live on one index set of a block."""
