"""arthur-mini, the embedded image encoder: its network, its training and what came out of it."""
