"""The same pixels on every x86-64 processor."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def portable() -> Iterator[None]:
    """Switch off OpenCV's code for newer processors: it rounds differently from one to the next.

    Drawing takes a tenth longer. The switch is OpenCV's and holds for the whole process until it is put back.
    """
    optimised = cv2.useOptimized()
    cv2.setUseOptimized(False)
    try:
        yield
    finally:
        cv2.setUseOptimized(optimised)
