"""What leaves the program: tables, files, pictures and verdicts, made from plain rows; never from a sketch."""
