"""Seeds: A compared with several models of one training recipe, with intervals over them."""
