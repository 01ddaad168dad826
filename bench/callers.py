"""Callers of an embedding service as servers are: some processes, each with some threads that ask one encoder.

    python -m bench.callers URL THREADS SECONDS

is one such process. It says `ready` when it has reached the service, begins at a line on its standard input, and ends
with its times as JSON, in milliseconds, beside the processor time that it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from arthur.encode import Encoder
from arthur.encode.remote import RemoteEncoder
from bench.visitors import Visited


def call(encoder: Encoder, *, threads: int, seconds: float) -> Visited:
    """Let so many threads embed one picture after the other, each when its last one was answered, for so long."""
    begun, cpu = time.perf_counter(), time.process_time()
    end = begun + seconds

    def caller(_: int) -> list[float]:
        side = encoder.spec.side
        picture = np.zeros((1, side, side, 3), np.uint8)
        times = []
        while (asked := time.perf_counter()) < end:
            encoder.encode(picture)
            times.append(1000 * (time.perf_counter() - asked))
        return times

    with ThreadPoolExecutor(threads) as pool:
        ms = [one for times in pool.map(caller, range(threads)) for one in times]
    return Visited(ms, 0, time.perf_counter() - begun, time.process_time() - cpu)


def call_from(processes: int, url: str, *, threads: int, seconds: float) -> Visited:
    """Do the same in so many processes at once, each with so many threads."""
    command = [sys.executable, "-m", "bench.callers", url, str(threads), str(seconds)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for one in running:
        if one.stdout is None or one.stdout.readline() != "ready\n":
            raise SystemExit("a process of callers did not start")
    for one in running:
        if one.stdin is not None:
            one.stdin.write("go\n")
            one.stdin.flush()
    told = [json.loads(one.communicate()[0]) for one in running]
    ms = [one for each in told for one in each["ms"]]
    return Visited(ms, 0, max(each["seconds"] for each in told), sum(each["cpu_s"] for each in told))


def main() -> None:
    """Be one process of callers."""
    url, threads, seconds = sys.argv[1:]
    encoder = RemoteEncoder(url, start_s=60)
    call(encoder, threads=int(threads), seconds=0.2)
    print("ready", flush=True)
    sys.stdin.readline()
    found = call(encoder, threads=int(threads), seconds=float(seconds))
    print(json.dumps({"ms": found.ms, "cpu_s": found.cpu_s, "seconds": found.seconds}), flush=True)
    encoder.close()


if __name__ == "__main__":
    main()
