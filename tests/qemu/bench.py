#!/usr/bin/python3
"""Measures the firmware on the emulated CPU, in instructions (QEMU's -icount: one is 1 ns).

usage: bench.py BOARD...          (in a network namespace: the stand-in and the nodes use loopback)

Work is time that the core did not sleep: clock_cycles() - idle_cycles() of the port, read from outside,
so that nothing is added to what is measured. The resolution is one cycle of the board's clock.
"""

import calendar
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "e2e"), str(Path(__file__).resolve().parent)]
import herdlib  # noqa: E402
import linklib  # noqa: E402
from gdbstub import Monitor, symbols  # noqa: E402

CPU_KHZ = {"lm3s6965evb": 50000}  # others: 25000
REPORTS = 2000
HANDSHAKES = 5


class Bench:
    def __init__(self, programs, board, chain=None, level="warn", suite=None):
        sections = {}
        self.cycles_per_ms = CPU_KHZ.get(board, 25000)
        self.standin = None
        if chain:
            self.standin = herdlib.Standin(programs, chain=chain)
            sections["places"] = self.standin.places()
        sections["log"] = {"level": level}
        names, links = ("Solo",), ()
        if suite:
            names, links = ("Solo", "Carol"), (("Solo", "Carol"),)
            sections["herd"] = {"link_suite": suite}
        self.herd = herd = herdlib.Herd(programs, names, links, boards=board, **sections)
        monitor = programs.folder / "monitor"
        wall_ns = 1_800_000_000 * 10**9
        self.node = herd.launch("Solo", "--icount", "--monitor", monitor, "--wall", str(wall_ns))
        self.symbols = symbols(herdlib.BIN / "boards" / board / "herd.elf")
        self.monitor = Monitor(monitor)
        herdlib.wait_until(self.answers, "the node answers")

    def answers(self):
        try:
            with herdlib.Client(self.node.port) as client:
                return client.iamat("first")
        except (OSError, AssertionError):
            return False

    def read(self, name, words=2):
        return self.monitor.words(self.symbols[name], words)

    def slept_ms(self):
        """Milliseconds since start, cycles slept: with the core stopped, so that they fit together."""
        self.monitor.command("stop")
        low, high = self.read("ms_low", 1)[0], self.read("ms_high", 1)[0]
        slept = self.monitor.u64(self.symbols["slept_cycles"])
        self.monitor.command("cont")
        return (high << 32 | low), slept

    def work(self, action):
        """Instructions that an action cost, with what an idle node does in the same time."""
        ms, slept = self.slept_ms()
        action()
        after_ms, after_slept = self.slept_ms()
        cycles = (after_ms - ms) * self.cycles_per_ms - (after_slept - slept)
        return cycles * 1_000_000 // self.cycles_per_ms, after_ms - ms

    def idle_per_ms(self):
        cost, ms = self.work(lambda: time.sleep(1))
        return cost / max(ms, 1)

    def boot(self):
        """Instructions from reset to node.ready: the log's clock started at reset."""
        stamp = self.node.log.wait("node.ready").time  # 2027-01-15T08:00:00.123Z
        seconds, milliseconds = stamp.rstrip("Z").split(".")
        since = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) - 1_800_000_000
        return (since * 1000 + int(milliseconds)) * 1_000_000

    def longest_steps(self):
        """[(ms, task)] of all tasks, longest first. One ms is a million instructions."""
        at, found = self.read("first", 1)[0], []  # struct sched_task
        while at:
            words = self.monitor.words(at, 8)
            name = b"".join(word.to_bytes(4, "little") for word in self.monitor.words(words[0], 6))
            found.append((words[6], name.split(b"\0")[0].decode()))
            at = words[7]
        return sorted(found, reverse=True)

    def arena(self):
        """The upstream's memory: most bytes ever (struct tls_memory)."""
        return self.read("arena_memory", 4)[3]

    def stack(self):
        start, end = self.symbols["ld_stack_start"], self.symbols["ld_stack_end"]
        words = self.monitor.words(start, (end - start) // 4)
        unused = next((i for i, word in enumerate(words) if word != 0xC5C5C5C5), len(words))
        return end - start - 4 * unused


def show(name, value, unit="instructions"):
    print(f"{name:56} {value:>14,.0f} {unit}", flush=True)


def show_steps(bench):
    for ms, task in bench.longest_steps()[:3]:
        show(f"longest step of task {task}, at most", (ms + 1) * 1_000_000)


def iamat_one_by_one(bench):
    with herdlib.Client(bench.node.port) as client:
        for i in range(REPORTS // 4):
            client.iamat(b"device%d" % (i % 50))


def iamat_pipelined(bench):
    with herdlib.Client(bench.node.port) as client:
        lines = [b"IAMAT device%d +34.068930-118.445127 %d.5\n" % (i % 50, 1700000000 + i)
                 for i in range(REPORTS)]
        client.feed(b"".join(lines))
        client.lines(REPORTS)


def measure_links(board):
    """A handshake of each suite, the node being called, and a link with a neighbour that says nothing more."""
    for suite in ("psk",) if board in herdlib.NO_UPSTREAM else ("psk", "ecdhe-psk"):
        with tempfile.TemporaryDirectory() as folder:
            programs = herdlib.Programs(Path(folder))
            bench = Bench(programs, board, suite=suite)
            time.sleep(8)  # what the node dials backs off
            idle = bench.idle_per_ms()

            def call():
                for _ in range(HANDSHAKES):
                    linklib.Caller(bench.node).close()
            cost, ms = bench.work(call)
            show(f"link taken and closed, {suite}", (cost - idle * ms) / HANDSHAKES)
            with socket.create_server(bench.herd.here("Carol")) as listener:
                def dialled():
                    linklib.Caller.of(listener.accept()[0], bench.herd).close()
                cost, ms = bench.work(dialled)
            show(f"link dialled and closed, {suite}", cost - idle * ms)
            show_steps(bench)
            programs.end()


def measure(board):
    print(f"-- {board}")
    with tempfile.TemporaryDirectory() as folder:
        programs = herdlib.Programs(Path(folder))
        show("from reset to node.ready, at most",
             Bench(programs, board, None if board in herdlib.NO_UPSTREAM else "ec",
                   level="info").boot() + 1_000_000)
        programs.end()
    with tempfile.TemporaryDirectory() as folder:
        programs = herdlib.Programs(Path(folder))
        bench = Bench(programs, board)
        idle = bench.idle_per_ms()
        show("idle node", idle * 1000, "instructions per second")
        for name, action, count in (("IAMAT, each waits for its answer", iamat_one_by_one, REPORTS // 4),
                                    ("IAMAT, pipelined", iamat_pipelined, REPORTS)):
            cost, ms = bench.work(lambda: action(bench))
            show(name, (cost - idle * ms) / count)
        show_steps(bench)
        programs.end()
    if board in herdlib.NO_UPSTREAM:
        return
    for chain, what in (("ec", "ECDSA leaf, RSA-4096 root"), ("rsa", "RSA-2048 leaf and root")):
        with tempfile.TemporaryDirectory() as folder:
            programs = herdlib.Programs(Path(folder))
            bench = Bench(programs, board, chain)
            idle = bench.idle_per_ms()

            def ask():
                with herdlib.Client(bench.node.port) as client:
                    client.iamat("first")
                    assert b'"OK"' in client.whatsat("first").text
            cost, ms = bench.work(ask)
            show(f"WHATSAT, full handshake, {what}", cost - idle * ms)
            cost, ms = bench.work(ask)
            show("WHATSAT, connection kept", cost - idle * ms)
            bench.standin.control("hangup")
            time.sleep(0.5)
            cost, ms = bench.work(ask)
            show("WHATSAT, session resumed", cost - idle * ms)
            show("TLS arena, most", bench.arena(), "bytes")
            show("stack, most", bench.stack(), "bytes")
            show_steps(bench)
            programs.end()


def main():
    if not sys.argv[1:]:
        sys.exit(__doc__)
    os.umask(0o77)
    for board in sys.argv[1:]:
        measure(board)
        measure_links(board)


if __name__ == "__main__":
    main()
