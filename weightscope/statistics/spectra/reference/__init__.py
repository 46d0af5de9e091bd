"""Simulated references that ship as data, each beside the script that writes it.

The scripts are run, never imported.
"""
