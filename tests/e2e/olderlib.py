"""Servers of the older kind, as the implementations of the course behave that herd joins.

One connection per message, read until a line is there and closed; differences and times as Python
prints floats, without a plus sign; the server's own name in what it passes on; everything new is sent
to all neighbours, the one that it came from included; a hop count behind the last field.
"""

import asyncio
import threading
import time

import wire
from herdlib import HERE, NET, PATIENCE_S, Port, free_port, wait_until, where


class OlderServer:
    """Listens where the tests are. Use as a context manager, or close it.

    reads: "line" (one line per connection, as most do), "all" (until the end of the connection) or
    "none" (closes at once). answers: bytes that it says to whoever sends it a message.
    """

    def __init__(self, name, dialect="at", port=None, reads="line", answers=b"", hops=True,
                 skew_s=0.0):
        if NET == "tap":
            wire.ready()
        self.name = name
        self.dialect = dialect
        self.port = Port(port or free_port(), HERE)
        self.reads = reads
        self.answers = answers
        self.hops = hops
        self.skew_s = skew_s  # of its clock
        self.neighbours = []  # ports
        self.known = {}  # client: (stamp, location, server, difference)
        self.lines = []  # messages from other servers, as they came
        self.connections = 0
        self.sent = 0
        self.failed = 0  # messages that could not be sent: lost, as with them
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.listening = threading.Event()
        self.thread.start()
        assert self.listening.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.slots = asyncio.Semaphore(16)  # messages on their way at once
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, *where(self.port), backlog=1024))
        self.listening.set()
        self.loop.run_forever()
        self.server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    def close(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(PATIENCE_S)

    # ---- What others send ----

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while self.reads != "none":
                line = await reader.readline()
                if not line:
                    break
                answer = self.message(line.decode("utf-8", "surrogateescape").split(), line)
                if answer:
                    writer.write(answer)
                    await writer.drain()
                if self.reads == "line":
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def message(self, fields, line):
        """What is answered."""
        if fields[:1] == ["IAMAT"]:
            return self.iamat(*fields[1:4])
        self.lines.append(line.rstrip(b"\n"))
        if fields[0] == "AT":
            server, difference, client, location, stamp = fields[1:6]
            self.take(client, location, float(stamp), server, float(difference))
        else:
            client, location, stamp, label, server = fields[1:6]
            assert int(label) > 0, line
            self.take(client, location, float(stamp), server, 0.0)
        return self.answers

    def iamat(self, client, location, stamp):
        difference = time.time() + self.skew_s - float(stamp)
        self.take(client, location, float(stamp), self.name, difference)
        return f"AT {self.name} {difference:+} {client} {location} {stamp}\n".encode()

    def take(self, client, location, stamp, server, difference):
        if client in self.known and stamp <= self.known[client][0]:
            return
        self.known[client] = (stamp, location, server, difference)
        for port in self.neighbours:
            self.loop.create_task(self.tell(port, client))

    # ---- What it sends ----

    def line_of(self, client):
        stamp, location, _, difference = self.known[client]
        hops = " 2" if self.hops else ""
        if self.dialect == "at":
            return f"AT {self.name} {difference!r} {client} {location} {stamp!r}{hops}\n"
        return f"UPDATE {client} {location} {stamp!r} {round(stamp * 1000)} {self.name}{hops}\n"

    async def tell(self, port, client):
        async with self.slots:
            try:
                _, writer = await asyncio.open_connection(*where(port))
                writer.write(self.line_of(client).encode("utf-8", "surrogateescape"))
                self.sent += 1
                await writer.drain()
                writer.close()  # without reading anything
                await writer.wait_closed()
            except OSError:
                self.failed += 1

    # ---- For tests, from their own thread ----

    def report(self, client, stamp=None, location="+34.068930-118.445127", difference=None):
        """As if a device had reported here."""
        stamp = time.time() if stamp is None else stamp

        def enter():
            late = time.time() + self.skew_s - stamp if difference is None else difference
            self.take(client, location, stamp, self.name, late)
        self.loop.call_soon_threadsafe(enter)
        return stamp

    def hears(self, client, stamp=None, timeout_s=None):
        """Waits until it knows the device, with that stamp."""
        def known():
            record = self.known.get(client)
            return record and (stamp is None or abs(record[0] - stamp) <= 1e-6) and record
        return wait_until(known, f"{self.name} hears of {client}, {stamp}; it knows "
                                 f"{self.known.get(client)}", timeout_s)


def open_section(server, **more):
    """Its section of a herd file, as Herd takes it."""
    values = {"address": HERE, "port": server.port, **more}
    if server.dialect != "at":
        values["dialect"] = server.dialect
    return {f"open {server.name}": values}
