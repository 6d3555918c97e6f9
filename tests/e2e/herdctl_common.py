"""For the tests of herdctl: a node made for the test, which answers as the protocol says, and files."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERDCTL = str((ROOT / os.environ.get("HERD_BIN_DIR", "build")).resolve() / "tools" / "herdctl")
TRACKS = ROOT.parent / "shared" / "data" / "tracks"

NUMBER = rb"(?:\d+\.?\d*|\.\d+)"
LOCATION = re.compile(rb"^[+-](" + NUMBER + rb")[+-](" + NUMBER + rb")$")


class FakeNode:
    """A node called Fake on a free port of the loopback. `lines` is what it was sent.

    mute: takes lines and answers nothing. refuse_every: each such IAMAT is answered `?`.
    close_after: closes after so many lines. step: bytes per send, to cut answers in pieces.
    """

    def __init__(self, mute=False, refuse_every=0, close_after=0, step=0, greeting=None):
        self.mute, self.refuse_every, self.close_after = mute, refuse_every, close_after
        self.step, self.greeting = step, greeting
        self.lines, self.times, self.devices = [], [], {}
        self.most_waiting = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.at = "127.0.0.1:%d" % self.port
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Not closed under accept(): its number could be the next node's listener by then, and this
        # node would take that one's connection.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            held = b""
            if self.greeting:
                connection.sendall(self.greeting)
            while True:
                try:
                    piece = connection.recv(65536)
                except OSError:
                    return
                if not piece:
                    return
                *lines, held = (held + piece).split(b"\n")
                self.most_waiting = max(self.most_waiting, len(lines))
                out = b""
                for line in lines:
                    self.lines.append(line)
                    self.times.append(time.monotonic())
                    if not self.mute:
                        out += self.answer(line)
                    if self.close_after and len(self.lines) >= self.close_after:
                        connection.sendall(out)
                        return
                self._send(connection, out)

    def _send(self, connection, out):
        step = self.step or max(1, len(out))
        try:
            for start in range(0, len(out), step):
                connection.sendall(out[start:start + step])
                if self.step:
                    time.sleep(0.001)
        except OSError:
            pass  # herdctl has seen enough and closed

    def answer(self, line):
        refused = b"? " + line + b"\n"
        fields = line.split()
        if len(fields) != 4:
            return refused
        if fields[0] == b"IAMAT":
            match = LOCATION.match(fields[2])
            if not match or float(match[1]) > 90 or float(match[2]) > 180:
                return refused
            if not re.fullmatch(NUMBER, fields[3]) or sum(map(len, fields[1:])) > 128:
                return refused
            if self.refuse_every and len(self.lines) % self.refuse_every == 0:
                return refused
            self.devices[fields[1]] = b" ".join(fields[1:])
            return b"AT Fake +0.263873386 " + self.devices[fields[1]] + b"\n"
        if fields[0] == b"WHATSAT" and fields[1] in self.devices:
            places = {"html_attributions": [], "results": [{"name": "Test Caf\u00e9 17"}],
                      "status": "OK"}
            text = json.dumps(places, indent=2, ensure_ascii=False).encode()
            return b"AT Fake +0.263873386 " + self.devices[fields[1]] + b"\n" + text + b"\n\n"
        return refused


class AnswerNode(FakeNode):
    """Answers every line with the same bytes, and closes then if `close` is set."""

    def __init__(self, reply, close=False):
        self.reply = reply
        super().__init__(close_after=1 if close else 0)

    def answer(self, line):
        return self.reply


AT = b"AT Fake +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503\n"


def herdctl(*arguments, env=None, cwd=ROOT, stdout=subprocess.PIPE):
    environment = {k: v for k, v in os.environ.items() if k != "HERD_FILE"}
    environment.update(env or {})
    return subprocess.run([HERDCTL, *arguments], stdout=stdout, stderr=subprocess.PIPE,
                          timeout=60, env=environment, cwd=cwd, check=False)


@pytest.fixture(name="node")
def fixture_node():
    with FakeNode() as node:
        yield node


def herd_file(tmp_path, port, extra=""):
    path = tmp_path / "herd.conf"
    path.write_text("[herd]\nreport_bytes = 64\n[node Idle]\naddress = 127.0.0.1\nport = 1\n"
                    "[node Fake]\naddress = 127.0.0.1\nport = %d ; free\n%s" % (port, extra))
    return str(path)


def gpx(tmp_path, body, name="track.gpx"):
    path = tmp_path / name
    path.write_text('<?xml version="1.0"?>\n<gpx version="1.1" '
                    'xmlns="http://www.topografix.com/GPX/1/1">%s</gpx>\n' % body)
    return str(path)


def points(*rows):
    text = "".join('<trkpt lat="%s" lon="%s">%s</trkpt>\n'
                   % (lat, lon, "<time>%s</time>" % when if when is not None else "")
                   for lat, lon, when in rows)
    return "<trk><trkseg>%s</trkseg></trk>" % text


def long_track(tmp_path, count, step_seconds=1):
    start = 1286101104
    rows = [("45.%06d" % i, "14.%06d" % i,
             time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + i * step_seconds)))
            for i in range(count)]
    return gpx(tmp_path, points(*rows))


def one_object(done):
    """The object on stdout, checked: strict UTF-8 JSON, the exit code, an error if it failed."""
    def no_duplicates(pairs):
        assert len({key for key, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    text = done.stdout.decode("utf-8")
    assert text.endswith("}\n")
    answer = json.loads(text, object_pairs_hook=no_duplicates)
    text.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert answer["exit"] == done.returncode
    assert ("error" in answer) == (done.returncode != 0)
    if "error" in answer:
        said = done.stderr.decode("utf-8", "replace").replace("herdctl: ", "").rstrip("\n")
        assert answer["error"] == said != ""
    return answer
