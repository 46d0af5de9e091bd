"""Simulated references that ship as data, each beside the script that makes it; scripts are run, never imported."""
