"""Decode speed and fidelity against pillow-simd, in one run on one thread.

    python bench/decode.py [--out rows.parquet] [--rounds 15]
    python bench/decode.py --parity FOLDER [--engine MODEL.onnx] [--side 224] [--fit crop]

Speed: contenders take turns on the same pictures, so that a busy machine hurts all alike; times are CPU time of the
process, and the ratios between medians are what to read. Parity: every picture below FOLDER is decoded by Arthur
and, whole, by pillow-simd; squares are compared, and with an engine the vectors made of them.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from arthur import _native
from arthur.decode import ImageDecoder
from arthur.errors import InvalidImage

SEED = 7
SIDE = 224
MEGAPIXELS = {"0.3": (640, 480), "1": (1152, 864), "3": (2048, 1536), "12": (4000, 3000)}
ENCODINGS: dict[str, tuple[str, dict[str, object]]] = {
    "jpeg": ("JPEG", {"quality": 90}),
    "jpeg progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "png": ("PNG", {"compress_level": 6}),
    "webp": ("WEBP", {"quality": 85, "method": 2}),
}
WIDE_ONLY = ("jpeg progressive", "png", "webp")
Contender = Callable[[bytes], object]


def photo(width: int, height: int, seed: int) -> Image.Image:
    """Return an RGB picture with the spectrum of a photo and a camera's grain."""
    random = np.random.default_rng(seed)
    layers = np.full((height, width, 3), 120, np.float32)
    for power in range(1, 9):
        for channel in range(3):
            knots = Image.fromarray(random.normal(size=(2**power, 2**power)).astype(np.float32))
            layer = np.asarray(knots.resize((width, height), Image.Resampling.BICUBIC))
            layers[:, :, channel] += layer * (45 / 1.5**power)
    layers += random.normal(scale=2.5, size=layers.shape).astype(np.float32)
    return Image.fromarray(layers.clip(0, 255).astype(np.uint8))


def squared(image: Image.Image, side: int, fit: str) -> Image.Image:
    """Return the square that torchvision's Resize and CenterCrop make of a whole picture."""
    if fit == "stretch":
        return image.resize((side, side), Image.Resampling.BICUBIC)
    width, height = (int(side * length / min(image.size)) for length in image.size)
    left, top = round((width - side) / 2), round((height - side) / 2)
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return resized.crop((left, top, left + side, top + side))


def with_pillow(data: bytes, side: int = SIDE, fit: str = "crop") -> NDArray[np.uint8]:
    """Decode whole, turn upright, convert to sRGB, resize."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"L", "RGB", "CMYK"}:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    return np.asarray(squared(image.convert("RGB"), side, fit))


def with_pillow_draft(data: bytes) -> NDArray[np.uint8]:
    """Let libjpeg scale down to no less than twice the square first."""
    image = Image.open(BytesIO(data))
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    return np.asarray(squared(ImageOps.exif_transpose(image).convert("RGB"), SIDE, "crop"))


def bare_eighth(data: bytes) -> None:
    """Decode at an eighth and stop: hardly more than parsing the Huffman codes."""
    image = Image.open(BytesIO(data))
    image.draft("RGB", (1, 1))
    image.load()


def contenders() -> dict[str, Contender]:
    """Return what is compared, by name."""
    decode = ImageDecoder()
    return {
        "arthur": lambda data: decode(data, SIDE),
        "arthur + preview": lambda data: decode(data, SIDE, preview_side=640, preview_gray=True),
        "pillow-simd": with_pillow,
        "pillow-simd + draft": with_pillow_draft,
        "bare 1/8": bare_eighth,
    }


def cases() -> Iterator[tuple[str, str, bytes]]:
    """Yield encoding, megapixels and a picture."""
    for megapixels, size in MEGAPIXELS.items():
        image = photo(*size, SEED)
        for encoding, (kind, options) in ENCODINGS.items():
            if encoding in WIDE_ONLY and megapixels not in {"1", "12"}:
                continue
            target = BytesIO()
            image.save(target, kind, **options)
            yield encoding, megapixels, target.getvalue()


def provenance() -> dict[str, str | int]:
    """Return what a figure is worth nothing without."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    facts = Path("/proc/cpuinfo").read_text().splitlines() if platform.system() == "Linux" else []
    cpu = next((line.split(":")[1].strip() for line in facts if line.startswith("model name")), platform.machine())
    return {
        "commit": commit.stdout.strip(),
        "machine": f"{cpu}, {platform.system()}",
        "versions": f"python {platform.python_version()}, arthur {_native.__version__}, pillow {Image.__version__}",
        "seed": SEED,
    }


def measure(rounds: int) -> pl.DataFrame:
    """Return one row per call."""
    competing, rows = contenders(), []
    for encoding, megapixels, data in cases():
        for turn in range(rounds + 1):
            for name, decode in competing.items():
                started = time.process_time()
                decode(data)
                spent = (time.process_time() - started) * 1e3
                if turn:  # the first turn warms up
                    rows.append((encoding, megapixels, len(data), name, turn, spent))
    columns = ["encoding", "megapixels", "bytes", "contender", "turn", "cpu_ms"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return frame.with_columns(pl.lit(value).alias(name) for name, value in provenance().items())


def report(frame: pl.DataFrame) -> None:
    """Print medians and ratios."""
    medians = frame.pivot(
        "contender", index=["encoding", "megapixels"], values="cpu_ms", aggregate_function="median"
    ).with_columns(
        (pl.col("arthur") / pl.col("pillow-simd")).alias("/full"),
        (pl.col("arthur") / pl.col("pillow-simd + draft")).alias("/draft"),
        (pl.col("arthur") / pl.col("bare 1/8")).alias("/bare"),
    )
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, float_precision=2, tbl_hide_dataframe_shape=True):
        print(medians)
    print(" | ".join(f"{name}: {frame[name][0]}" for name in ("commit", "machine", "versions", "seed")))


def embed(engine: Path, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the vectors (n, dim) an ONNX engine makes of squares (n, side, side, 3)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(engine, providers=["CPUExecutionProvider"])
    batches = [session.run(["vectors"], {"pixels": squares[at : at + 8]})[0] for at in range(0, len(squares), 8)]
    return np.concatenate(batches)


def parity(arguments: argparse.Namespace) -> None:
    """Print how far Arthur's squares, and their vectors, are from those of a whole decode."""
    decode, ours, theirs = ImageDecoder(), [], []
    for path in sorted(path for path in arguments.parity.rglob("*") if path.is_file()):
        data = path.read_bytes()
        try:
            ours.append(decode(data, arguments.side, fit=arguments.fit).pixels)
        except InvalidImage as refused:
            print(f"{path.name}: {refused}")
            continue
        theirs.append(with_pillow(data, arguments.side, arguments.fit))
    apart = np.abs(np.stack(ours).astype(np.int16) - np.stack(theirs))
    means = apart.mean(axis=(1, 2, 3))
    print(f"{len(ours)} pictures; mean absolute difference p50 {np.median(means):.3f} max {means.max():.3f};")
    print(f"largest difference of a sample {apart.max()} of 255")
    if arguments.engine:
        vectors = [embed(arguments.engine, np.stack(squares)).astype(np.float64) for squares in (ours, theirs)]
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in vectors]
        lost = 1 - (unit[0] * unit[1]).sum(axis=1)
        print(
            f"1 - cos of the vectors: p50 {np.median(lost):.1e} p99 {np.quantile(lost, 0.99):.1e} max {lost.max():.1e}"
        )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parity", type=Path)
    parser.add_argument("--engine", type=Path)
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--fit", choices=("crop", "stretch"), default="crop")
    arguments = parser.parse_args()
    if _native.DEBUG_BUILD:
        print("refused: arthur._native is a debug build", file=sys.stderr)
        return 1
    if arguments.parity:
        parity(arguments)
        return 0
    frame = measure(arguments.rounds)
    if arguments.out:
        frame.write_parquet(arguments.out)
    report(frame)
    return 0


if __name__ == "__main__":
    sys.exit(main())
