"""The styles of painting, grouped by kind; `bench.artphoto.paintings` chooses among them."""
