#!/usr/bin/env bash
# Proves the GPU adapters on a bare CUDA machine with torch and no network, from the root of the project:
#   run.sh receive            keep the loads of `python -m bench.gpu.carry` that came along in CARRY (.gpu-carry)
#   run.sh all                unpack, build, verify and measure everything, and report
#   run.sh measure ENGINE [SYSTEM ...]   one engine, all or some systems
#   run.sh train [OPTION ...] train arthur-mini on the GPU, as `make train` does
# What is kept between calls lies in STATE (.gpu-state). What is found out goes to OUT: rows.parquet, report.md and log.
# DEVICE=cpu runs all that needs no GPU, at a tiny size.
set -uo pipefail
cd "$(dirname "$0")/../.."

STATE=${STATE:-$PWD/.gpu-state}
CARRY=${CARRY:-.gpu-carry}
OUT=${OUT:-$STATE/out}
DEVICE=${DEVICE:-cuda:0}
PYTHON=${PYTHON:-python3}
SECONDS_EACH=${SECONDS_EACH:-1}
LIMIT_S=${LIMIT_S:-420}
if [ "$DEVICE" = cpu ]; then
    ENGINES=${ENGINES:-tiny}
    BATCHES=${BATCHES:-1 4}
else
    ENGINES=${ENGINES:-clip-b32 clip-l14}
    BATCHES=${BATCHES:-1 8 32 64 128 256}
fi
# what has to be known first comes first: a lease may end before the last system
SYSTEMS=("tensorrt" "transformers" "torch graphs" "tensorrt plain" "torch eager" "torch.compile" "onnxruntime")
OLD=$STATE/tensorrt

say() { echo "[$(date +%T)] $*"; }

receive() {
    mkdir -p "$STATE/pieces"
    cp "$CARRY"/load-*/* "$STATE/pieces/"
    say "$(find "$STATE/pieces" -name '*.xz' | wc -l) pieces received"
}

prepare() {
    mkdir -p "$STATE/rows" "$STATE/engines" "$OUT"
    if compgen -G "$CARRY/load-*" >/dev/null; then receive; fi
    if [ -f "$STATE/pieces/contents" ]; then "$PYTHON" bench/gpu/unpack.py "$STATE/pieces" "$STATE"; fi
    export PYTHONPATH="$PWD/python:$PWD:$STATE/site" PYTHONUNBUFFERED=1
    # shellcheck disable=SC2086  # a list of names
    "$PYTHON" -m bench.gpu.engines "$STATE/engines" $ENGINES
}

old_python() {  # TensorRT 8.6 has a wheel for Python 3.10 alone
    PYTHONHOME="$OLD/python" PYTHONPATH="$PWD/python:$PWD:$OLD/site" \
        LD_LIBRARY_PATH="$OLD/python/lib:$OLD/site/tensorrt:${LD_LIBRARY_PATH:-}" "$OLD/python/bin/python3.10" "$@"
}

interpreter() {  # of a system: the machine's own TensorRT goes before the one that was brought
    if [[ "$1" == tensorrt* ]] && [ -d "$OLD" ] && ! "$PYTHON" -c "import tensorrt" 2>/dev/null; then
        echo old_python
    else
        echo "$PYTHON"
    fi
}

measure() {
    local engine=$1 system
    shift
    for system in "$@"; do
        say "$engine: $system"
        # shellcheck disable=SC2086  # a list of numbers
        limited "$(interpreter "$system")" -m bench.gpu.measure "$STATE/engines/$engine" "$system" \
            --out "$STATE/rows" --device "$DEVICE" --seconds "$SECONDS_EACH" --batches $BATCHES ||
            say "$engine: $system did not end well"
    done
}

limited() {  # `timeout` cannot run a function; groups of their own, so that what a job started ends with it
    set -m
    ( "$@" ) & local running=$!
    ( sleep "$LIMIT_S"; kill -- "-$running" ) >/dev/null 2>&1 & local watch=$!
    set +m
    wait "$running"; local status=$?
    kill -- "-$watch" 2>/dev/null
    return "$status"
}

report() {
    "$PYTHON" -m bench.gpu.report "$STATE/rows" || return 1
    cp "$STATE/rows/rows.parquet" "$STATE/rows/report.md" "$OUT/"
}

case "${1:-all}" in
    receive) receive ;;
    all)
        prepare
        for engine in $ENGINES; do measure "$engine" "${SYSTEMS[@]}"; done
        report
        ;;
    measure)
        shift
        engine=${1:?which engine}
        shift
        ENGINES=$engine prepare
        if [ $# -eq 0 ]; then set -- "${SYSTEMS[@]}"; fi
        measure "$engine" "$@"
        report
        ;;
    train)
        shift
        prepare
        "$PYTHON" -m engines.arthur_mini.train --device "${DEVICE%%:*}" --pool "$STATE/pool" --run "$STATE/run" "$@"
        cp -r "$STATE/run" "$OUT/"
        ;;
    *) grep '^#   ' "$0" | cut -c5-; exit 2 ;;
esac 2>&1 | tee -a "${OUT}/log"
exit "${PIPESTATUS[0]}"
