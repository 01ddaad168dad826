"""Prepares what a bare CUDA machine without a network is to be brought: packages, and TensorRT with a Python for it.

    python -m bench.gpu.carry [--into .gpu-carry] [--python310 /path/to/python3.10]

Writes folders `load-00`, `load-01` and so on of at most `--load-mib` each. `load-00` holds the packages for the
machine's own Python; the others hold TensorRT 8.6.0, the last whose wheel the public index itself has, with libraries
that stand in for cuBLAS and cuDNN (its plugins name them, an engine of ours calls none) and a Python 3.10, for which
alone it was made.
"""

from __future__ import annotations

import argparse
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGES = (
    "annotated-types==0.8.0",
    "blake3==1.0.11",
    "pydantic==2.14.3",
    "pydantic-core==2.50.4",
    "structlog==26.1.0",
    "typing-extensions==4.16.0",
    "typing-inspection==0.4.5",
)
OLD_PACKAGES = (
    *(name for name in PACKAGES if not name.startswith("blake3")),
    "blake3==1.0.10",
    "cuda-bindings==13.0.3",
    "cuda-pathfinder==1.8.3",
    "numpy==2.2.6",
    "nvidia-ml-py==13.615.71",
    "tomli==2.5.0",
)
TENSORRT = "tensorrt==8.6.0"
SINCE_310 = '''"""What newer versions of Python have, as far as the adapters use it."""

import hashlib


def file_digest(stream, name):
    """Return the digest of an open file."""
    digest = hashlib.new(name)
    while part := stream.read(1 << 20):
        digest.update(part)
    return digest


hashlib.file_digest = file_digest
'''
_PIECE = 16 << 20
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64",
              "manylinux2014_x86_64", "manylinux1_x86_64")  # fmt: skip
_NOT_CARRIED = ("test", "tests", "idlelib", "tkinter", "ensurepip", "lib2to3", "site-packages", "__pycache__",
                "turtledemo", "distutils")  # fmt: skip


def install(packages: Sequence[str], into: Path, *, python: str) -> None:
    """Install wheels for that version of Python on Linux, without what they depend on."""
    platforms = [word for name in _PLATFORMS for word in ("--platform", name)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-compile"]
    subprocess.run(
        [*pip, "--python-version", python, "--implementation", "cp", *platforms, "--target", str(into), *packages],
        check=True,
    )


def tensorrt_libraries(into: Path) -> None:
    """Unpack TensorRT's wheel, and put stand-ins for the libraries beside it that its plugins name."""
    with tempfile.TemporaryDirectory() as scratch:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        target = ["--python-version", "3.10", "--platform", "manylinux_2_17_x86_64", "--dest", scratch]
        subprocess.run([*download, *target, TENSORRT], check=True)
        [wheel] = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(into)
    package = into / "tensorrt"
    for library, names in undefined(package / "libnvinfer_plugin.so.8").items():
        stand_in(package / library, names)


def undefined(library: Path) -> dict[str, list[str]]:
    """Return the functions of cuBLAS and cuDNN that a library calls, by the library it expects them in."""
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, list[str]] = {}
    for line in listed.splitlines():
        name, _, home = line.split()[-1].partition("@")
        if home.startswith(("libcublas", "libcudnn")):
            found.setdefault(home, []).append(name)
    return found


def stand_in(path: Path, names: Sequence[str]) -> None:
    """Compile a library whose every function answers that nothing is initialised."""
    with tempfile.TemporaryDirectory() as scratch:
        source, script = Path(scratch) / "stand_in.c", Path(scratch) / "versions"
        source.write_text("".join(f"int {name}(void) {{ return 1; }}\n" for name in names))
        script.write_text(f"{path.name} {{ global: *; }};\n")
        flags = ["-shared", "-fPIC", "-O1", f"-Wl,-soname,{path.name}", f"-Wl,--version-script={script}"]
        subprocess.run(["cc", *flags, "-o", path, source], check=True)


def old_python(binary: Path, into: Path) -> None:
    """Copy a Python 3.10, its library and the part of its standard library that is needed."""
    asked = "import sys, sysconfig; print(sys.base_prefix, sysconfig.get_config_var('LDLIBRARY') or '')"
    prefix, library = subprocess.run([binary, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    (into / "bin").mkdir(parents=True)
    (into / "lib").mkdir()
    shutil.copy2(Path(prefix) / "bin" / "python3.10", into / "bin" / "python3.10")
    for shared in (Path(prefix) / "lib").glob("libpython3.10.so*"):
        shutil.copy2(shared, into / "lib" / shared.name)
    skipped = shutil.ignore_patterns(*_NOT_CARRIED, "config-3.10*", library or "*.a", "*.a")
    shutil.copytree(Path(prefix) / "lib" / "python3.10", into / "lib" / "python3.10", ignore=skipped)


def pieces(folder: Path, *, size: int) -> Iterator[bytes]:
    """Yield a folder as an archive, cut into pieces that are each compressed alone, so that cores share the work."""
    with tempfile.TemporaryFile() as whole:
        with tarfile.open(fileobj=whole, mode="w") as archive:
            archive.add(folder, arcname=".")
        whole.seek(0)
        while piece := whole.read(size):
            yield lzma.compress(piece, preset=6)


def write_loads(folder: Path, into: Path, *, first: int, most: int, piece_bytes: int = _PIECE) -> int:
    """Write a folder's pieces into loads from the number `first` on; return the number after the last."""
    number, size = first, 0
    for place, piece in enumerate(pieces(folder, size=piece_bytes)):
        if size and size + len(piece) > most:
            number, size = number + 1, 0
        load = into / f"load-{number:02}"
        load.mkdir(exist_ok=True)
        (load / f"{folder.name}.{place:04}.xz").write_bytes(piece)
        size += len(piece)
        print(f"{folder.name}: piece {place} in {load.name}, {size >> 20} MiB", flush=True)
    return number + 1


def main() -> None:
    """Write all loads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(".gpu-carry"))
    parser.add_argument("--python", default="3.12", help="version of the machine's own Python")
    parser.add_argument("--python310", type=Path, help="a Python 3.10; without it TensorRT is left out")
    parser.add_argument("--load-mib", type=int, default=44, help="what one transfer holds")
    given = parser.parse_args()
    shutil.rmtree(given.into, ignore_errors=True)
    given.into.mkdir(parents=True)
    most = given.load_mib << 20
    with tempfile.TemporaryDirectory() as scratch:
        site, old = Path(scratch) / "site", Path(scratch) / "tensorrt"
        install(PACKAGES, site, python=given.python)
        following = write_loads(site, given.into, first=0, most=most)
        if given.python310:
            install(OLD_PACKAGES, old / "site", python="3.10")
            tensorrt_libraries(old / "site")
            (old / "site" / "tomllib.py").write_text("from tomli import *\n")
            (old / "site" / "sitecustomize.py").write_text(SINCE_310)
            old_python(given.python310, old / "python")
            following = write_loads(old, given.into, first=following, most=most)
        counts = [f"{folder}.{len(list(pieces_of(given.into, folder)))}" for folder in ("site", "tensorrt")]
        (given.into / "load-00" / "contents").write_text("\n".join(counts) + "\n")
    print(f"{following} loads in {given.into}")


def pieces_of(into: Path, folder: str) -> Iterator[Path]:
    """Yield the pieces of a folder in all loads."""
    return into.glob(f"load-*/{folder}.*.xz")


if __name__ == "__main__":
    main()
