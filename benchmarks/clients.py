"""Threads with a synchronous client, or tasks with an asynchronous one: the clients alone.

Prints wall time and processor time of N calls to a loopback server that
answers after a fixed latency, for bare ``httpx`` clients with connections
sharded by eight, as ``judging.backends.http`` shards them. The choice and its
reasons are in docs/decisions/0002-threads.md.

    python benchmarks/clients.py [--calls 500] [--latency 0.05] [--in-flight 32] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from functools import partial

import httpx

SHARD = 8
BODY = b'{"choices": [{"message": {"content": "60"}}]}'
LIMITS = httpx.Limits(max_connections=SHARD, max_keepalive_connections=SHARD)
TIMEOUT = httpx.Timeout(60, pool=None)
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "word " * 800}]}


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency_s: float
) -> None:
    """Answer each request of a connection after the latency."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            await asyncio.sleep(latency_s)
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)
            )
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def serve(latency_s: float) -> None:
    """Print the port and serve until killed."""
    server = await asyncio.start_server(lambda r, w: answer(r, w, latency_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def with_threads(url: str, calls: int, in_flight: int) -> None:
    """Make the calls from a pool of threads, each keeping to one shard."""
    mine = threading.local()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(limits=LIMITS, timeout=TIMEOUT))
            for _ in range(-(-in_flight // SHARD))
        ]
        turns = itertools.cycle(clients)

        def call(_: int) -> None:
            if not hasattr(mine, "client"):
                mine.client = next(turns)
            mine.client.post(url, json=REQUEST).raise_for_status()

        with ThreadPoolExecutor(in_flight) as pool:
            list(pool.map(call, range(calls)))


async def _with_tasks(url: str, calls: int, in_flight: int) -> None:
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(limits=LIMITS, timeout=TIMEOUT))
            for _ in range(-(-in_flight // SHARD))
        ]
        left = iter(range(calls))

        async def work(client: httpx.AsyncClient) -> None:
            for _ in left:
                (await client.post(url, json=REQUEST)).raise_for_status()

        async with asyncio.TaskGroup() as group:
            for number in range(in_flight):
                group.create_task(work(clients[number % len(clients)]))


def with_tasks(url: str, calls: int, in_flight: int) -> None:
    """Make the calls from as many tasks of one event loop."""
    asyncio.run(_with_tasks(url, calls, in_flight))


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Return wall seconds and this process's processor seconds."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, spent


def main() -> None:
    """Measure both ways in turn and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.latency))
        return
    command = [sys.executable, __file__, "--serve", f"--latency={given.latency}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = "" if server.stdout is None else server.stdout.readline().strip()
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        ways = {"threads, sync client": with_threads, "tasks, async client": with_tasks}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(given.rounds + 1):  # the first round warms up and is dropped
            for name, way in ways.items():
                taken[name].append(timed(partial(way, url, given.calls, given.in_flight)))
        server.kill()
    ideal = given.calls * given.latency / given.in_flight
    print(f"{given.calls} calls of {given.latency:g} s, {given.in_flight} in flight")
    print(f"{'ideal':>22}: {ideal:.2f} s")
    for name, rounds in taken.items():
        walls, spent = zip(*rounds[1:], strict=True)
        wall = statistics.median(walls)
        print(
            f"{name:>22}: {wall:.2f} s wall ({wall / ideal:.2f} × ideal, "
            f"{min(walls):.2f} to {max(walls):.2f}), {statistics.median(spent):.2f} s processor"
        )


if __name__ == "__main__":
    main()
