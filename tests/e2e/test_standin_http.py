"""The Places stand-in by itself: HTTP and TLS, control, options and life."""

import json
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

from standin_common import (BIN, CERTS, KEY, NEW_PATH, ROOT, get, legacy, legacy_target, new_body,
                            post, raw_exchange, shared, standin, start, works)  # noqa: F401


# ---- HTTP and TLS ----

@pytest.mark.parametrize("request_bytes,status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 64 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17000, 431),
    (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 404)])
def test_http_is_read_strictly(standin, request_bytes, status):
    assert raw_exchange(standin, request_bytes).startswith(b"HTTP/1.1 %d " % status)
    assert standin.stats()["bad_requests"] == (status != 404)


def test_keep_alive_and_pipelining(standin):
    connection = standin.connect()
    for _ in range(3):
        connection.request("GET", legacy_target())
        assert json.loads(connection.getresponse().read())["status"] == "OK"
    connection.close()
    stats = standin.stats()
    assert (stats["connections"], stats["handshakes"], stats["legacy"]) == (1, 1, 3)
    request = f"GET {legacy_target()} HTTP/1.1\r\nHost: a\r\n".encode()
    received = raw_exchange(standin, (request + b"\r\n") * 2 + request +
                            b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3


def test_request_may_come_byte_by_byte(standin):
    with standin.tls() as sock:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(100).startswith(b"HTTP/1.1 404 ")


def test_idle_connection_is_closed_with_close_notify(start):
    one = start("--idle", "1")
    with one.tls() as sock:
        begun = time.monotonic()
        assert sock.recv(1) == b""  # and no error about the end
        assert 0.5 < time.monotonic() - begun < 5


def test_hangup_closes_idle_connections(standin):
    with standin.tls() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(65536)
        assert standin.control("hangup") == "ok"
        assert sock.recv(1) == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(standin, version):
    context = standin.context(version)
    session = None
    for turn in range(3):
        connection = standin.connect(context=context, session=session)
        connection.request("GET", legacy_target())
        connection.getresponse().read()
        assert connection.sock.session_reused == (turn > 0)
        session = connection.sock.session
        connection.close()
    stats = standin.stats()
    assert (stats["handshakes"], stats["resumed"]) == (3, 2)


@pytest.mark.parametrize("option,version", [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
def test_tls_version_can_be_forced(start, option, version):
    one = start("--tls", option)
    legacy(one)
    assert f" tls={version} " in one.control("last")


@pytest.mark.parametrize("chain,key_type", [("ec", "ECDSA"), ("rsa", "RSA")])
def test_both_chains_are_good_for_all_names(start, chain, key_type):
    one = start(chain=chain, *("--tls", "1.2"))
    for host in ("places.googleapis.com", "maps.googleapis.com", "any.googleapis.com", "localhost"):
        assert get(one, legacy_target(), host)[0].status == 200
        assert f" sni={host} " in one.control("last")
        assert f" cipher=ECDHE-{key_type}-" in one.control("last")
    with pytest.raises(ssl.SSLCertVerificationError):
        get(one, legacy_target(), "www.example.com")


def test_chunked_replies(standin, start):
    plain = get(standin, legacy_target())[1]
    standin.control("fault chunked")
    for one in (standin, start("--chunked")):
        response, body = get(one, legacy_target())
        assert response.getheader("Transfer-Encoding") == "chunked"
        assert response.getheader("Content-Length") is None
        assert body == plain


# ---- Control, options, life ----

def test_last_says_where_the_key_travelled_and_never_shows_it(standin):
    assert standin.control("last") == "ok none"
    post(standin, new_body())
    last = standin.control("last")
    assert f"method=POST target={NEW_PATH} key_in=header:X-Goog-Api-Key " in last
    assert "X-Goog-FieldMask" in last and " status=200 " in last and KEY not in last
    legacy(standin)
    last = standin.control("last")
    assert " key_in=target " in last and "&key=*** " in last and KEY not in last
    connection = standin.connect()
    connection.request("POST", "/x", f"body {KEY}", {"User-Agent": KEY})
    connection.getresponse()
    assert " key_in=header:User-Agent,body " in standin.control("last")


def test_stats_count_and_reset(standin):
    legacy(standin)
    post(standin, new_body())
    get(standin, "/elsewhere")
    stats = standin.stats()
    assert (stats["requests"], stats["new"], stats["legacy"], stats["handshakes"]) == (3, 1, 1, 3)
    standin.control("reset")
    assert set(standin.stats().values()) == {0}


@pytest.mark.parametrize("line", ["", "fault", "fault nonsense", "fault slow x", "fault slow -1",
                                  "fault http-500 5", "fault " + "x" * 100, "stats now", "quit"])
def test_control_refuses_what_it_does_not_know(standin, line):
    assert standin.control(line).startswith("error ")
    assert standin.control("stats").endswith(" fault=none")


def test_begins_with_a_fault(start):
    one = start("--fault", "slow=300")
    begun = time.monotonic()
    assert legacy(one)["status"] == "OK"
    assert 0.3 <= time.monotonic() - begun < 5


def run_to_error(*options, key=KEY):
    environment = {name: value for name, value in os.environ.items() if name != "PLACES_KEY"}
    if key is not None:
        environment["PLACES_KEY"] = key
    done = subprocess.run([BIN, "--certs", CERTS, *options], capture_output=True, text=True,
                          timeout=20, env=environment)
    assert done.stdout == "" and done.returncode == 2
    assert re.fullmatch(r"places-standin: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def test_errors_are_one_clear_line(standin, tmp_path):
    assert f"port {standin.port}: in use" in run_to_error("--port", str(standin.port))
    assert "control port" in run_to_error("--port", "0", "--control", str(standin.port))
    assert "certs.sh" in run_to_error("--port", "0", "--certs", str(tmp_path))
    assert "PLACES_KEY" in run_to_error("--port", "0", key=None)
    assert "key is empty" in run_to_error("--port", "0", key="")
    assert "white space" in run_to_error("--port", "0", key="two words")
    assert "No such file" in run_to_error("--port", "0", "--key-file", str(tmp_path / "x"))
    assert "No such file" in run_to_error("--port", "0", "--answer-file", str(tmp_path / "x"))
    assert "ec or rsa" in run_to_error("--chain", "dsa")
    assert "no such fault" in run_to_error("--fault", "nonsense")
    assert "--port 70000" in run_to_error("--port", "70000")
    assert "unexpected argument" in run_to_error("--port", "0", "more")


def test_key_comes_from_a_file(start, tmp_path):
    file = tmp_path / "key"
    file.write_text("key-of-the-file\n")
    one = start("--key-file", str(file))
    assert legacy(one, key="key-of-the-file")["status"] == "OK"
    assert legacy(one)["status"] == "REQUEST_DENIED"


def test_listens_on_loopback_only(standin):
    with socket.socket() as sock:
        sock.settimeout(2)
        with pytest.raises(OSError):
            sock.connect(("127.0.0.2", standin.port))  # 0.0.0.0 would answer there


def test_stops_within_a_second_with_clients_connected(start):
    one = start()
    with one.tls() as sock:
        begun = time.monotonic()
        one.process.terminate()
        assert sock.recv(1) == b""
        one.process.wait(5)
        assert time.monotonic() - begun < 1


def test_many_idle_clients_do_not_stop_the_others(standin):
    idle = [socket.create_connection(("127.0.0.1", standin.port)) for _ in range(200)]
    assert works(standin)
    for sock in idle:
        sock.close()
    assert works(standin)


# ---- Certificates ----

def test_certs_are_made_once_and_keys_are_private(tmp_path):
    script = ROOT / "tools" / "places-standin" / "certs.sh"
    directory = tmp_path / "certs"
    subprocess.run([script, directory], check=True, timeout=120)
    keys = list(directory.glob("*.key"))
    assert len(keys) == 2
    assert {oct(key.stat().st_mode & 0o777) for key in keys} == {"0o600"}
    before = (directory / "chain-ec.pem").read_bytes()
    begun = time.monotonic()
    subprocess.run([script, directory], check=True, timeout=20)
    assert time.monotonic() - begun < 2
    assert (directory / "chain-ec.pem").read_bytes() == before
    (directory / "root-rsa.pem").unlink()
    subprocess.run([script, directory], check=True, timeout=120)
    assert (directory / "root-rsa.pem").exists()
    assert (directory / "chain-ec.pem").read_bytes() != before
    assert not list(directory.glob(".work.*"))
