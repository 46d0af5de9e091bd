"""Tables, files, pictures and gates, all from plain rows without sketches."""
