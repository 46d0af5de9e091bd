"""A set: several tunings of one base, compared with each other by their task vectors."""
