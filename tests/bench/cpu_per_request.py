#!/usr/bin/python3
"""Processor time that a node takes for a request, on slirp and on a TAP device.

usage (root): tests/bench/cpu_per_request.py

Starts one node (log level error, no neighbours) on each net in turn, in a network namespace of its own,
and sends IAMAT from a few clients at once: one line at a time, then 64 at a time. Prints microseconds of the
node's own user and system time per request; the clients' and the kernel's forwarding are not in it.
"""

import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
TURNS = 40_000  # of lines and their answers


def load(node, clients, batch):
    """Microseconds (user, system) per request, and requests per second of the node's own time."""
    import herdlib
    lines = b"".join(b"IAMAT client%d +34.068930-118.445127 %d\n" % (i % 50, i) for i in range(batch))
    selector = selectors.DefaultSelector()
    todo = TURNS // clients
    for _ in range(clients):
        one = herdlib.Client(node.port).socket
        one.setblocking(True)
        selector.register(one, selectors.EVENT_READ, [todo, 0])
    before = times(node)
    for key in list(selector.get_map().values()):
        key.fileobj.sendall(lines)
    while selector.get_map():
        for key, _ in selector.select():
            state = key.data
            state[1] += key.fileobj.recv(1 << 18).count(b"\n")
            if state[1] == batch:
                state[0] -= 1
                state[1] = 0
                if state[0] == 0:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                else:
                    key.fileobj.sendall(lines)
    user, system = (after - start for after, start in zip(times(node), before))
    count = todo * batch * clients
    return user / count * 1e6, system / count * 1e6


def times(node):
    fields = Path(f"/proc/{node.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]


def measure():
    import herdlib
    with tempfile.TemporaryDirectory() as folder:
        programs = herdlib.Programs(Path(folder))
        herd = herdlib.Herd(programs)
        node = herd.launch("Solo", "--log-level", "error")
        herdlib.wait_until(lambda: connects(node), "the node takes commands")
        for clients, batch in ((1, 1), (8, 1), (64, 1), (8, 64)):
            user, system = load(node, clients, batch)
            print(f"{herdlib.NET:6} {clients:3} clients, {batch:2} lines at a time: "
                  f"{user + system:6.2f} us per request ({user:.2f} user, {system:.2f} system)", flush=True)
        programs.end()


def connects(node):
    import herdlib
    try:
        herdlib.Client(node.port).close()
        return True
    except OSError:
        return False


def main():
    if "HERD_NET" in os.environ:
        measure()
        return
    for net in ("slirp", "tap"):
        subprocess.run(["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                        sys.executable, __file__], env=dict(os.environ, HERD_NET=net), check=True)


if __name__ == "__main__":
    main()
