"""What the local features learn: the projection of SIFT, the code that is stored, and the visual words."""
