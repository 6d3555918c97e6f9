"""For the tests of the Places stand-in. Clients are Python's ssl and http.client, so that neither end
shares code with the node."""

import http.client
import json
import math
import os
import re
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / os.environ.get("HERD_BIN_DIR", "build") / "tools" / "places-standin"
CERTS = ROOT / "build" / "certs"
KEY = "test-key-4711"
UCLA = (34.068930, -118.445127)
LEGACY_PATH = "/maps/api/place/nearbysearch/json"
NEW_PATH = "/v1/places:searchNearby"
TIMEOUT_S = 20  # far more than anything here takes; a test that reaches it fails


def distance_m(a, b):
    """Great-circle distance by the spherical law through vectors, not by haversine as in the C."""
    def vector(point):
        lat, lng = map(math.radians, point)
        return math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat)
    u, v = vector(a), vector(b)
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return 6371008.8 * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(u, v)))


class Connection(http.client.HTTPSConnection):
    """HTTPS to 127.0.0.1 with the name of another host checked."""

    def __init__(self, port, host, context, session=None):
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)
        self.session = session

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go separately
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host, session=self.session)


class Standin:
    def __init__(self, *options, key=KEY, chain="ec"):
        self.chain = chain
        command = [str(BIN), "--port", "0", "--control", "0", "--certs", str(CERTS), "--chain",
                   chain, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, "PLACES_KEY": key})
        ready = self.process.stdout.readline()
        match = re.fullmatch(r"ready port=(\d+) control=(\d+)\n", ready)
        assert match, ready + self.process.stderr.read()
        self.port, self.control_port = map(int, match.groups())

    def stop(self):
        self.process.terminate()
        _, errors = self.process.communicate(timeout=10)
        assert (self.process.returncode, errors) == (0, "")

    def control(self, line):
        with socket.create_connection(("127.0.0.1", self.control_port), TIMEOUT_S) as sock:
            sock.sendall(line.encode() + b"\n")
            answer = sock.makefile().readline()
        assert answer.endswith("\n")
        return answer[:-1]

    def stats(self):
        answer = self.control("stats")
        assert answer.startswith("ok ")
        pairs = dict(pair.split("=") for pair in answer[3:].split())
        return {name: int(value) for name, value in pairs.items() if name != "fault"}

    def context(self, version=None):
        context = ssl.create_default_context(cafile=str(CERTS / f"root-{self.chain}.pem"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, host="places.googleapis.com", context=None, session=None):
        return Connection(self.port, host, context or self.context(), session)

    def tls(self):
        """A bare TLS socket; an end without close_notify is an error on it."""
        raw = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        context = self.context()
        context.options &= ~0x80  # SSL_OP_IGNORE_UNEXPECTED_EOF, which Python sets
        return context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)


@pytest.fixture(scope="module")
def shared():
    standin = Standin()
    yield standin
    standin.stop()


@pytest.fixture
def standin(shared):
    assert shared.control("reset") == "ok"
    yield shared
    assert shared.process.poll() is None


@pytest.fixture
def start():
    """Starts stand-ins with options of their own."""
    started = []

    def start_one(*options, **named):
        started.append(Standin(*options, **named))
        return started[-1]
    yield start_one
    for one in started:
        one.stop()


def legacy_target(at=UCLA, radius="1000", key=KEY):
    return f"{LEGACY_PATH}?location={at[0]:.6f},{at[1]:.6f}&radius={radius}&key={key}"


def get(standin, target, host="maps.googleapis.com"):
    connection = standin.connect(host)
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def legacy(standin, at=UCLA, radius="1000", key=KEY):
    response, body = get(standin, legacy_target(at, radius, key))
    assert response.status == 200
    return json.loads(body)


MASK = "places.id,places.displayName,places.location,places.types,places.shortFormattedAddress"


def new_body(at=UCLA, radius=1000.0, count=20, **more):
    circle = {"center": {"latitude": at[0], "longitude": at[1]}, "radius": radius}
    return {"maxResultCount": count, "rankPreference": "DISTANCE",
            "locationRestriction": {"circle": circle}, **more}


def post(standin, body, key=KEY, mask=MASK, **more):
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["X-Goog-Api-Key"] = key
    if mask is not None:
        headers["X-Goog-FieldMask"] = mask
    connection = standin.connect()
    connection.request("POST", NEW_PATH, body if isinstance(body, (str, bytes)) else
                       json.dumps(body), {**headers, **more})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text)


def legacy_points(answer):
    points = [entry["geometry"]["location"] for entry in answer["results"]]
    return [(point["lat"], point["lng"]) for point in points]


def works(standin):
    """The fault goes, and the next good query works."""
    assert standin.control("fault none") == "ok fault=none"
    return legacy(standin)["status"] == "OK" and post(standin, new_body())[0] == 200


def raw_exchange(standin, request):
    """Sends bytes and returns all that comes until the stand-in closes."""
    with standin.tls() as sock:
        sock.sendall(request)
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
    return received
