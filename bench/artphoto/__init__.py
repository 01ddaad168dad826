"""ArtPhoto-sim: procedural paintings, and simulated photos of them.

Both are pure functions of their seeds, need only numpy and OpenCV, and are free of any licence:
they feed the demo, the tests, the benchmark of recognition and the training of arthur-mini.
"""
