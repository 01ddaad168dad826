#!/usr/bin/env bash
# Makes sure that the tools a build needs are there: installs them with apt when run as root on Debian or Ubuntu,
# and otherwise names what is missing in one line.
#   system-tools.sh              check and install
#                                (Chromium too, with which the page is tested; without it only those tests fail)
#   system-tools.sh --python     print the Python interpreter to use (3.11 to 3.13)
#   system-tools.sh --simd-flag  print the compiler flag for the SIMD level of this processor
set -euo pipefail

python_for_arthur() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

simd_flag() {
    if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then echo "-mavx2"; elif [ "$(uname -m)" = x86_64 ]; then echo "-msse4"; fi
}

has_header() { echo "#include <$1>" | cc -E - >/dev/null 2>&1; }

missing() {
    command -v cc >/dev/null || echo gcc
    command -v c++ >/dev/null || echo g++
    command -v make >/dev/null || echo make
    command -v cmake >/dev/null || echo cmake
    command -v curl >/dev/null || echo curl  # the tests run the recipes of the documents
    command -v nasm >/dev/null || echo nasm
    command -v cargo >/dev/null || echo rustup
    python_for_arthur >/dev/null || echo python3-venv
    if command -v cc >/dev/null; then
        { echo "#include <stdio.h>"; echo "#include <jpeglib.h>"; } | cc -E - >/dev/null 2>&1 || echo libjpeg-dev
        has_header zlib.h || echo zlib1g-dev
        has_header webp/decode.h || echo libwebp-dev
        has_header tiffio.h || has_header x86_64-linux-gnu/tiffio.h || echo libtiff-dev
        has_header lcms2.h || echo liblcms2-dev
        ls -d /usr/include/openjpeg-2.* >/dev/null 2>&1 || echo libopenjp2-7-dev
    else
        echo libjpeg-dev zlib1g-dev libwebp-dev libtiff-dev liblcms2-dev libopenjp2-7-dev
    fi
}

# Only tests need these: a server of Valkey (PostgreSQL comes as a Python package), nginx, what checks the rules of
# Prometheus, and a browser for the page.
missing_for_tests() {
    if ! command -v valkey-server && ! command -v redis-server; then
        if apt-cache show valkey-server; then echo valkey-server >&3; else echo redis-server >&3; fi
    fi
    command -v nginx || [ -x /usr/sbin/nginx ] || echo nginx >&3
    command -v promtool || echo prometheus >&3
    command -v chromium || command -v chromium-browser || command -v google-chrome || echo chromium >&3
} 3>&1 >/dev/null 2>&1

can_install() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }

install() {
    echo "installing with apt: $*"
    # a server that its package starts would be nobody's: tests start their own
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null || true
}

case "${1:-}" in
    --python) python_for_arthur; exit ;;
    --simd-flag) simd_flag; exit ;;
esac

needed=$(missing | tr '\n' ' ')
tested=$(missing_for_tests | tr '\n' ' ')
if [ -n "${needed}${tested}" ] && can_install; then
    # shellcheck disable=SC2086  # two lists of package names
    install $needed $tested
    needed=$(missing | tr '\n' ' ')
    tested=$(missing_for_tests | tr '\n' ' ')
fi
if [ -n "${needed// /}" ]; then
    echo "missing: ${needed}- install these (Debian and Ubuntu names; Rust also from https://rustup.rs, Python 3.11 to 3.13)" >&2
    exit 2
fi
cargo --version >/dev/null 2>&1 || { echo "missing: a Rust toolchain - run: rustup toolchain install 1.95.0" >&2; exit 2; }
[ -z "${tested// /}" ] || echo "missing for tests, which will fail or say so: ${tested}(Debian and Ubuntu names)" >&2
