"""Long work on the catalogue: importing and exporting, in bounded memory, and resumable where it writes."""
