"""What the camera makes of a scene: shape, colour, sharpness, noise and the file.

Scenes are float32 (height, width, 3) in 0..255 unless said otherwise.
"""

import string

import cv2
import numpy as np

from arthur.simulation.fields import Field, Picture, blur, grid
from arthur.simulation.light import centred
from arthur.simulation.pose import LONG_SIDE
from arthur.simulation.severity import Limits


def bend(scene: Field, random: np.random.Generator, limits: Limits) -> Field:
    """Bend the scene like a curved sheet, and by the lens's barrel."""
    height, width = scene.shape[:2]
    rows, columns = grid((height, width))
    across, down = columns, rows
    if random.random() < 0.4:
        reach = random.uniform(0, limits.bend) * width
        waves, phase = random.uniform(0.5, 1.5) * 2 * np.pi, random.uniform(0, 6)
        across = columns + reach * np.sin(waves * rows / height + phase)
        down = rows + reach * np.sin(waves * columns / width + phase)
    x, y = centred((height, width))
    swell = 4 * random.normal(0, 0.03) * (x**2 + y**2) * LONG_SIDE
    bent = cv2.remap(
        scene,
        (across + swell * x).astype(np.float32),
        (down + swell * y).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return bent.astype(np.float32, copy=False)


def expose(scene: Field, random: np.random.Generator, limits: Limits) -> Field:
    """Change gamma, exposure, white balance and saturation."""
    gamma = np.exp(random.normal(0, 0.6 * limits.gamma))
    gain = 2 ** (0.7 * limits.exposure * random.uniform(-1, 1))
    balance = np.exp(limits.white_balance * random.uniform(-1, 1, 3))
    scene = 255 * (np.clip(scene, 0, 255) / 255) ** gamma * gain * balance
    grey = scene.mean(2, keepdims=True)
    saturation = 1 + limits.saturation * random.uniform(-1, 1)
    if random.random() < limits.p_grey:
        saturation = 0
    exposed: Field = np.clip(grey + (scene - grey) * saturation, 0, 255).astype(np.float32)
    return exposed


def defocus(scene: Field, random: np.random.Generator, limits: Limits) -> Field:
    """Blur by defocus and by motion."""
    if random.random() < 0.7:
        scene = blur(scene, max(0.1, random.uniform(0, limits.defocus)))
    length = random.uniform(0, limits.motion)
    if random.random() < 0.5 and length > 1.5:
        half = int(length)
        kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        angle = random.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        start, end = np.round(half - reach).astype(int), np.round(half + reach).astype(int)
        cv2.line(kernel, start.tolist(), end.tolist(), 1.0, 1, cv2.LINE_AA)
        scene = cv2.filter2D(scene, -1, kernel / kernel.sum()).astype(np.float32, copy=False)
    return scene


def sense(scene: Field, random: np.random.Generator, limits: Limits) -> Field:
    """Capture fewer pixels, add the sensor's noise, and for some sharpen as cameras do."""
    share = random.uniform(*limits.resolution) / LONG_SIDE
    if share < 0.97:
        scene = cv2.resize(scene, None, fx=share, fy=share, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    grains = random.standard_normal(scene.shape, dtype=np.float32)
    # Part of the noise is common to the channels: brightness flickers more than colour.
    grains = 0.6 * grains + 0.68 * grains.mean(2, keepdims=True)
    level = random.uniform(0, limits.noise) * np.sqrt(0.3 + np.clip(scene, 0, 255) / 255)
    scene = (scene + grains * level).astype(np.float32)
    if random.random() < 0.5:
        scene = np.clip(scene, 0, 255)
        scene = scene + random.uniform(0, 1.2) * (scene - blur(scene, 1.2))
    return scene.astype(np.float32)


def caption(photo: Picture, random: np.random.Generator) -> Picture:
    """Write one to three words over the photo, as in a screenshot."""
    height, width = photo.shape[:2]
    photo = photo.copy()
    for _ in range(int(random.integers(1, 4))):
        letters = random.choice(list(string.ascii_uppercase), int(random.integers(3, 14)))
        place = (int(random.uniform(0, 0.6) * width), int(random.uniform(0.05, 0.98) * height))
        face, size = int(random.integers(0, 8)), random.uniform(0.5, 2) * width / LONG_SIDE
        colour, thickness = random.uniform(0, 255, 3).tolist(), int(random.integers(1, 4))
        cv2.putText(photo, "".join(letters), place, face, size, colour, thickness, cv2.LINE_AA)
    return photo


def compress(photo: Picture, quality: int) -> Picture:
    """Return the photo as it comes out of a JPEG file of that quality."""
    _, file = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise ValueError("OpenCV cannot read the JPEG that it wrote")
    return decoded.astype(np.uint8, copy=False)
