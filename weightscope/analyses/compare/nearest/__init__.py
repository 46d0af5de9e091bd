"""Candidate parents: which of several models was this one made from."""
