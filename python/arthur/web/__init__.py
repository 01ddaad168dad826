"""The web rim: one route table, handlers that know no server, and the adapter that serves them with Robyn."""
