"""Photos of artworks as visitors take them, simulated: for calibrating, training and measuring."""
