"""The command line: parses, calls one library function, renders; it computes nothing."""
