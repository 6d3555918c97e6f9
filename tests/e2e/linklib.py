"""Frames between nodes (section 5 of PROTOCOL.md), and neighbours that are none: with a link's keys, or with
plain TCP only."""

import contextlib
import re
import socket
import struct
import threading

from herdlib import PATIENCE_S, where
from tlspsk import Tls

HELLO, REPORT, ACK, BEAT, ASK, ANSWER, BYE = 1, 2, 3, 4, 7, 8, 9
BYE_VERSION, BYE_IDENTITY, BYE_SETTINGS, BYE_PROTOCOL = 3, 4, 5, 6
OFFERS_ASK = 1  # feature of HELLO
LAST, FAILURE = 1, 2  # flags of ANSWER


def frame(kind, body=b""):
    return struct.pack(">BH", kind, len(body)) + body


def name(text):
    return bytes([len(text)]) + text


def hello(sender=b"Carol", target=b"A", version=1, report_bytes=128, skew_max=60, boot=4711,
          features=0):
    return frame(HELLO, struct.pack(">BIQHII", version, features, boot, report_bytes, skew_max, 4096)
                 + name(sender) + name(target))


def report(text, key=10**18, flags=0):
    return frame(REPORT, struct.pack(">qB", key, flags) + text)


def ask(number=1, lat_e7=340689300, lng_e7=-1184451270, radius_mm=10**7, bound=20, bytes_max=65536):
    return frame(ASK, struct.pack(">HiiIBI", number, lat_e7, lng_e7, radius_mm, bound, bytes_max))


def answer(number, text, flags=LAST):
    return frame(ANSWER, struct.pack(">HB", number, flags) + text)


class Bare:
    """A connection to a link listener without TLS."""

    def __init__(self, node):
        self.socket = socket.create_connection(where(node.link_port), PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def rest(self):
        """Everything up to the end of the connection, however it ends."""
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionError:
            pass
        return data


def identity(sender, target, number):
    return f"{sender}>{target}#{number}".encode()


class Caller:
    """A neighbour: `sender` dials the node with the link's current key, or with what is given."""

    def __init__(self, node, sender="Carol", port=None, **named):
        self.socket = socket.create_connection(where(port or node.link_port), PATIENCE_S)
        self.held = b""
        try:
            self.tls = self.shake(node, sender, **named)
        except BaseException:
            self.socket.close()
            raise

    def shake(self, node, sender, key=None, number=None, name=None, suite=None, record_bytes=1024):
        keys = node.herd.keys
        number = number or keys.number
        name = identity(sender, node.name, number) if name is None else name
        return Tls.client(self.socket, name, key or keys.key(sender, node.name, number),
                          suite or node.herd.suite, PATIENCE_S, record_bytes)

    @classmethod
    def of(cls, accepted, herd, own="Carol", suite=None):
        """The same for a connection that a node has dialled to where `own` should be."""
        def key_of(name):
            said = re.fullmatch(rb"([^>#]+)>([^>#]+)#([0-9]+)", name)
            return said and said[2] == own.encode() and herd.keys.key(own, said[1].decode(),
                                                                     int(said[3]))
        caller = cls.__new__(cls)
        caller.socket = accepted
        caller.held = b""
        caller.tls = Tls.server(accepted, key_of, suite or herd.suite, PATIENCE_S)
        return caller

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.tls.free()
        self.socket.close()

    def settimeout(self, seconds):
        self.tls.patience_s = seconds

    def send(self, data):
        self.tls.send(data)

    def exactly(self, count):
        while len(self.held) < count:
            piece = self.tls.receive()
            if not piece:
                return None
            self.held += piece
        data, self.held = self.held[:count], self.held[count:]
        return data

    def frame(self):
        """The next (type, body); None at the end of the connection."""
        try:
            head = self.exactly(3)
            if head is None:
                return None
            kind, length = struct.unpack(">BH", head)
            return kind, self.exactly(length)
        except ConnectionError:
            return None

    def wait(self, wanted):
        """The body of the next frame of this type; whatever comes before is dropped."""
        while (one := self.frame()) is not None:
            if one[0] == wanted:
                return one[1]
        raise AssertionError("the connection ended")

    def answer(self, number=1):
        """The JSON of a whole ANSWER."""
        text = b""
        while True:
            body = self.wait(ANSWER)
            got, flags = struct.unpack(">HB", body[:3])
            if got == number:
                text = body[3:] if flags & FAILURE else text + body[3:]
                if flags & LAST:
                    return text

    def frames(self):
        """All frames up to the end of the connection."""
        found = []
        while (one := self.frame()) is not None:
            found.append(one)
        return found


class Recorder:
    """Passes connections on to a node's link listener, and keeps what either side says on each."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sessions = []  # [said by who dialled, said by who was called], in pieces
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                dialled = self.listener.accept()[0]
            except OSError:
                return  # closed
            try:
                called = socket.create_connection(where(self.target), PATIENCE_S)
            except OSError:
                dialled.close()  # nobody listens
                continue
            called.settimeout(None)
            session = [[], []]
            self.sessions.append(session)
            self.sockets += [dialled, called]
            for one, other, kept in ((dialled, called, session[0]), (called, dialled, session[1])):
                threading.Thread(target=self._pump, args=(one, other, kept), daemon=True).start()

    @staticmethod
    def _pump(one, other, kept):
        try:
            while piece := one.recv(65536):
                kept.append(piece)
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
