"""herdctl against a node made for the test, which answers as the protocol says."""

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


# iamat

@pytest.mark.parametrize("lat, lon, location", [
    ("34.068930", "-118.445127", "+34.068930-118.445127"),
    ("+34.068930", "-118.445127", "+34.068930-118.445127"),
    ("-0.10", "+00118.", "-0.10+00118."),
    (".5", "-.5", "+.5-.5"),
    ("90", "-180.000", "+90-180.000"),
    ("0090.0", "0", "+0090.0+0"),
])
def test_iamat_keeps_the_digits_and_writes_both_signs(node, lat, lon, location):
    done = herdctl("--at", node.at, "iamat", "kiwi", lat, lon, "--time", "1621464827.959498503")
    assert done.returncode == 0, done.stderr
    assert node.lines == [b"IAMAT kiwi %s 1621464827.959498503" % location.encode()]
    assert done.stdout == (b"AT Fake +0.263873386 kiwi %s 1621464827.959498503\n"
                           % location.encode())


@pytest.mark.parametrize("lat, lon", [
    ("90.0000001", "0"), ("91", "0"), ("0", "180.1"), ("0", "-1000"), ("1e1", "0"), ("", "0"),
    ("--1", "0"), ("0x1", "0"), (".", "0"), ("1,5", "0"), ("0", "nan"), ("+", "0"), (" 1", "0"),
])
def test_iamat_refuses_what_is_no_place_without_asking(node, lat, lon):
    done = herdctl("--at", node.at, "iamat", "kiwi", "--", lat, lon)
    assert done.returncode == 2
    assert b"decimal degrees" in done.stderr
    assert node.lines == []


def test_iamat_without_time_sends_now_with_nine_decimals(node):
    before = time.time()
    done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2")
    assert done.returncode == 0
    stamp = node.lines[0].split()[3]
    assert re.fullmatch(rb"\d+\.\d{9}", stamp)
    assert before - 0.001 <= float(stamp) <= time.time() + 0.001


@pytest.mark.parametrize("when", ["-1", "1e9", "", "now", "9223372036.854775808", "99999999999"])
def test_iamat_refuses_a_time_that_the_protocol_cannot_carry(node, when):
    done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2", "--time=" + when)
    assert done.returncode == 2
    assert node.lines == []


def test_iamat_takes_the_last_nanosecond(node):
    done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2", "--time", "9223372036.8547758079")
    assert done.returncode == 0


def test_iamat_takes_a_utf8_id(node):
    done = herdctl("--at", node.at, "iamat", "k\u012bwi\u2708", "1", "2", "--time", "3")
    assert done.returncode == 0
    assert node.lines == ["IAMAT k\u012bwi\u2708 +1+2 3".encode()]


@pytest.mark.parametrize("device", ["", "a b", "a\tb", "a\nb", "a\x7fb", "\x01"])
def test_an_id_with_white_space_or_control_bytes_is_refused_without_asking(node, device):
    done = herdctl("--at", node.at, "iamat", device, "1", "2")
    assert done.returncode == 2
    assert b"no ID" in done.stderr
    assert node.lines == []


def test_an_id_that_looks_like_an_option_goes_after_two_dashes(node):
    done = herdctl("--at", node.at, "--time", "3", "iamat", "--", "--help", "-1", "-2")
    assert done.returncode == 0
    assert node.lines == [b"IAMAT --help -1-2 3"]


def test_a_refused_command_is_printed_and_ends_with_1(node):
    done = herdctl("--at", node.at, "iamat", "k" * 120, "1", "2", "--time", "12345")
    assert done.returncode == 1
    assert done.stdout.startswith(b"? IAMAT kkk")
    assert b"report_bytes" in done.stderr


def test_a_report_beyond_the_herds_report_bytes_is_said_before_asking(node, tmp_path):
    done = herdctl("-c", herd_file(tmp_path, node.port), "--at", "Fake", "iamat", "k" * 60, "1",
                   "2", "--time", "1")
    assert done.returncode == 2
    assert b"65 bytes; this herd takes 64" in done.stderr
    assert node.lines == []


# whatsat

def test_whatsat_prints_the_at_line_and_json(node):
    herdctl("--at", node.at, "iamat", "kiwi", "1", "2", "--time", "3")
    done = herdctl("--at", node.at, "whatsat", "kiwi", "10", "5")
    assert done.returncode == 0, done.stderr
    first, rest = done.stdout.split(b"\n", 1)
    assert first == b"AT Fake +0.263873386 kiwi +1+2 3"
    assert json.loads(rest)["results"][0]["name"] == "Test Caf\u00e9 17"
    assert node.lines[-1] == b"WHATSAT kiwi 10 5"


def test_whatsat_takes_an_answer_that_comes_in_single_bytes():
    with FakeNode(step=1) as node:
        herdctl("--at", node.at, "iamat", "kiwi", "1", "2", "--time", "3")
        done = herdctl("--at", node.at, "whatsat", "kiwi", "0.5", "20")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(b"}\n") and not done.stdout.endswith(b"\n\n")


def test_whatsat_of_an_unknown_device_ends_with_1(node):
    done = herdctl("--at", node.at, "whatsat", "nobody", "10", "5")
    assert done.returncode == 1
    assert done.stdout == b"? WHATSAT nobody 10 5\n"
    assert b"no report of this ID" in done.stderr


@pytest.mark.parametrize("radius, bound", [
    ("50.1", "5"), ("51", "5"), ("-1", "5"), ("ten", "5"), ("10", "21"), ("10", "1.0"),
    ("10", "-1"), ("10", ""), ("1e1", "5")])
def test_whatsat_refuses_a_radius_or_bound_out_of_range_without_asking(node, radius, bound):
    done = herdctl("--at", node.at, "whatsat", "kiwi", "--", radius, bound)
    assert done.returncode == 2
    assert node.lines == []


# replay

def replay_real_track(name, node):
    track = TRACKS / name
    if not track.exists():
        pytest.skip("the recorded tracks are not beside the repository: %s is missing" % track)
    return track, herdctl("--at", node.at, "replay", str(track), "--as", "walker")


def expected_lines(track, device):
    """The same track read in another way: by regular expressions."""
    text = re.sub(r"<wpt.*?</wpt>", "", track.read_text(), flags=re.S)
    for lat, lon, inner in re.findall(r'<trkpt lat="([^"]+)" lon="([^"]+)">(.*?)</trkpt>', text,
                                      flags=re.S):
        when = re.search(r"<time>(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z</time>", inner)
        if when:
            import calendar
            seconds = calendar.timegm(tuple(int(part) for part in when.groups()))
            sign = lambda number: number if number[0] == "-" else "+" + number
            yield ("IAMAT %s %s%s %d" % (device, sign(lat), sign(lon), seconds)).encode()


@pytest.mark.parametrize("name, sent, skipped", [("korita-zbevnica.gpx", 513, 358),
                                                 ("cerknicko-jezero.gpx", 296, 0)])
def test_replay_of_a_recorded_track_sends_every_timed_point(node, name, sent, skipped):
    track, done = replay_real_track(name, node)
    assert done.returncode == 0, done.stderr
    assert node.lines == list(expected_lines(track, "walker"))
    assert len(node.lines) == sent
    summary, last = done.stdout.decode().splitlines()
    assert summary == "%d sent, %d answered, %d without time skipped" % (sent, sent, skipped)
    assert last.encode() == b"AT Fake +0.263873386" + node.lines[-1][len(b"IAMAT"):]
    assert done.stderr == b""


@pytest.mark.parametrize("when, seconds", [
    ("1970-01-01T00:00:00Z", "0"),
    ("2000-02-29T23:59:59Z", "951868799"),
    ("2010-10-03T10:18:24Z", "1286101104"),
    ("2010-10-03T10:18:24", "1286101104"),
    ("2010-10-03T12:18:24+02:00", "1286101104"),
    ("2010-10-03T12:18:24+0200", "1286101104"),
    ("2010-10-03T05:48:24-04:30", "1286101104"),
    ("2010-10-03T12:18:24+02", "1286101104"),
    ("2010-10-03T10:18:24.5Z", "1286101104.5"),
    ("2010-10-03T10:18:24.120Z", "1286101104.120"),
    ("2010-10-03T10:18:24,120Z", "1286101104.120"),
    ("2010-10-03T12:18:24.123456789012+02:00", "1286101104.123456789012"),
    (" 2010-10-03T10:18:24Z\n", "1286101104"),
    ("1969-12-31T23:00:00-02:00", "3600"),
    ("2100-03-01T00:00:00Z", "4107542400"),
    ("2016-12-31T23:59:60Z", "1483228800"),
])
def test_replay_turns_iso_times_into_posix_seconds(node, tmp_path, when, seconds):
    done = herdctl("--at", node.at, "replay", gpx(tmp_path, points(("1", "2", when))), "--as", "d")
    assert done.returncode == 0, done.stderr
    assert node.lines == [b"IAMAT d +1+2 " + seconds.encode()]


@pytest.mark.parametrize("when", [
    "yesterday", "2010-13-01T00:00:00Z", "2010-02-29T00:00:00Z", "2010-10-03", "2010-10-03T1:2:3Z",
    "2010-10-03T10:18:24.Z", "2010-10-03T10:18:24Zx", "2010-10-03T25:00:00Z", "1969-12-31T23:59:59Z",
    "2263-01-01T00:00:00Z", "2010-10-03T10:18:24+25:00", "2010-10-03 10:18:24Z", pytest.param("2" * 200, id="too long")])
def test_replay_counts_times_that_it_cannot_read(node, tmp_path, when):
    track = gpx(tmp_path, points(("1", "2", when), ("3", "4", "2010-10-03T10:18:24Z")))
    done = herdctl("--at", node.at, "replay", track, "--as", "d")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"1 sent, 1 answered, 0 without time skipped, "
                                  b"1 with an unusable time skipped\n")


def test_replay_keeps_the_digits_of_the_track(node, tmp_path):
    track = gpx(tmp_path, points(("45.380593557000", "-014.10", "2010-10-03T10:18:24Z"),
                                 ("+1.", ".5", "2010-10-03T10:18:25Z")))
    assert herdctl("--at", node.at, "replay", track, "--as", "d").returncode == 0
    assert node.lines == [b"IAMAT d +45.380593557000-014.10 1286101104",
                          b"IAMAT d +1.+.5 1286101105"]


def test_replay_counts_points_without_a_usable_position(node, tmp_path):
    when = "2010-10-03T10:18:24Z"
    track = gpx(tmp_path, points(("91", "0", when), ("1e1", "0", when), ("", "0", when),
                                 ("1" * 100, "0", when), ("1", "2", when)))
    done = herdctl("--at", node.at, "replay", track, "--as", "d")
    assert done.returncode == 0
    assert b"4 without a usable position skipped" in done.stdout
    assert node.lines == [b"IAMAT d +1+2 1286101104"]


def test_replay_sends_track_points_only_and_their_own_time(node, tmp_path):
    when = "<time>2010-10-03T10:18:24Z</time>"
    body = ('<metadata>%s</metadata><wpt lat="9" lon="9">%s</wpt>'
            '<rte><rtept lat="8" lon="8">%s</rtept></rte>'
            '<trk><trkseg><trkpt lat="1" lon="2"><extensions>%s</extensions></trkpt>'
            '<trkpt lat="3" lon="4"><ele>7</ele>%s<name>x</name></trkpt></trkseg></trk>'
            % (when, when, when, when, when))
    done = herdctl("--at", node.at, "replay", gpx(tmp_path, body), "--as", "d")
    assert done.returncode == 0
    assert done.stdout.startswith(b"1 sent, 1 answered, 1 without time skipped\n")
    assert node.lines == [b"IAMAT d +3+4 1286101104"]


def test_replay_of_a_file_without_track_points_says_what_it_has(node, tmp_path):
    done = herdctl("--at", node.at, "replay", gpx(tmp_path, '<wpt lat="9" lon="9"/>'), "--as", "d")
    assert done.returncode == 2
    assert b"1 route points and waypoints" in done.stderr


def test_replay_of_a_broken_file_names_the_line_after_sending_what_was_whole(node, tmp_path):
    path = tmp_path / "broken.gpx"
    path.write_text("<gpx>\n" + points(("1", "2", "2010-10-03T10:18:24Z")) + "\n<oops")
    done = herdctl("--at", node.at, "replay", str(path), "--as", "d")
    assert done.returncode == 2
    assert b"broken.gpx:4: not well-formed XML" in done.stderr
    assert done.stdout.startswith(b"1 sent, 1 answered")


def long_track(tmp_path, count, step_seconds=1):
    start = 1286101104
    rows = [("45.%06d" % i, "14.%06d" % i,
             time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + i * step_seconds)))
            for i in range(count)]
    return gpx(tmp_path, points(*rows))


def test_replay_of_a_long_track_keeps_a_bounded_number_of_commands_on_their_way(node, tmp_path):
    done = herdctl("--at", node.at, "replay", long_track(tmp_path, 20000), "--as", "d")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"20000 sent, 20000 answered, 0 without")
    assert len(node.lines) == 20000
    assert 1 < node.most_waiting <= 64


def test_replay_counts_refusals_and_ends_with_1(tmp_path):
    with FakeNode(refuse_every=10) as node:
        done = herdctl("--at", node.at, "replay", long_track(tmp_path, 100), "--as", "d")
        assert done.returncode == 1
        assert done.stdout.startswith(b"100 sent, 90 answered, 0 without time skipped, 10 refused")
        assert done.stderr.count(b"refused: ? IAMAT") == 3


def test_replay_with_speed_keeps_the_pace_of_the_recording(node, tmp_path):
    track = long_track(tmp_path, 5, step_seconds=10)
    done = herdctl("--at", node.at, "replay", track, "--as", "d", "--speed", "100")
    assert done.returncode == 0, done.stderr
    offsets = [at - node.times[0] for at in node.times]
    assert offsets == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.08)
    assert node.lines[-1].split()[3] == b"1286101144"


def test_replay_now_stamps_the_first_point_with_now_and_keeps_distances(node, tmp_path):
    before = time.time()
    done = herdctl("--at", node.at, "replay", long_track(tmp_path, 3, 10), "--as", "d", "--now")
    assert done.returncode == 0
    stamps = [line.split()[3] for line in node.lines]
    assert all(re.fullmatch(rb"\d+\.\d{9}", stamp) for stamp in stamps)
    assert before - 0.001 <= float(stamps[0]) <= time.time() + 0.001
    nanos = [int(stamp.replace(b".", b"")) for stamp in stamps]
    assert [at - nanos[0] for at in nanos] == [0, 10 * 10**9, 20 * 10**9]


def test_replay_now_with_speed_stamps_each_point_with_the_time_it_is_sent(node, tmp_path):
    done = herdctl("--at", node.at, "replay", long_track(tmp_path, 3, 10), "--as", "d", "--now",
                   "--speed", "100")
    assert done.returncode == 0
    nanos = [int(line.split()[3].replace(b".", b"")) for line in node.lines]
    assert [at - nanos[0] for at in nanos] == [0, 10**8, 2 * 10**8]


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "", "1e3"])
def test_replay_refuses_a_speed_that_is_no_factor(node, tmp_path, speed):
    done = herdctl("--at", node.at, "replay", long_track(tmp_path, 1), "--as", "d",
                   "--speed=" + speed)
    assert done.returncode == 2
    assert b"--speed" in done.stderr


def test_replay_when_the_node_closes_reports_how_far_it_came(tmp_path):
    with FakeNode(close_after=10) as node:
        done = herdctl("--at", node.at, "replay", long_track(tmp_path, 1000), "--as", "d")
        assert done.returncode == 3
        assert re.match(rb"\d+ sent, \d+ answered", done.stdout)
        assert len(done.stderr.splitlines()) == 1


# the node, the herd file, time-outs

def test_nothing_listening_ends_with_3_and_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = herdctl("--at", "127.0.0.1:%d" % port, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"make run" in done.stderr


@pytest.mark.parametrize("command", [["iamat", "kiwi", "1", "2"], ["whatsat", "kiwi", "1", "2"]])
def test_a_node_that_does_not_answer_ends_with_3_in_time(command):
    with FakeNode(mute=True) as node:
        start = time.monotonic()
        done = herdctl("--at", node.at, "--timeout", "1", *command)
        assert done.returncode == 3
        assert 0.9 < time.monotonic() - start < 3
        assert b"no answer from" in done.stderr


def test_replay_into_a_node_that_does_not_answer_ends_with_3_in_time(tmp_path):
    with FakeNode(mute=True) as node:
        start = time.monotonic()
        done = herdctl("--at", node.at, "--timeout", "1", "replay", long_track(tmp_path, 500),
                       "--as", "d")
        assert done.returncode == 3
        assert 0.9 < time.monotonic() - start < 3
        assert len(node.lines) <= 64


def test_something_that_is_no_node_of_herd_ends_with_1(tmp_path):
    with FakeNode(greeting=b"SSH-2.0-OpenSSH_9.2\r\n", mute=True) as node:
        for command in (["iamat", "kiwi", "1", "2"],
                        ["replay", long_track(tmp_path, 3), "--as", "d"]):
            done = herdctl("--at", node.at, *command)
            assert done.returncode == 1, command
            assert b"port for clients" in done.stderr


def test_nodes_are_found_by_name_in_the_herd_file(node, tmp_path):
    path = herd_file(tmp_path, node.port, "[links]\nFake = Idle\n[later]\nwhat = ever\n")
    for way in ({"env": {"HERD_FILE": path}}, {"env": {}}):
        options = [] if way["env"] else ["-c", path]
        done = herdctl(*options, "iamat", "kiwi", "1", "2", "--time", "3", "--at=Fake", **way)
        assert done.returncode == 0, done.stderr
    assert len(node.lines) == 2


def test_without_at_the_first_node_of_the_herd_file_is_asked(tmp_path):
    done = herdctl("-c", herd_file(tmp_path, 2), "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"Idle at 127.0.0.1:1:" in done.stderr


def test_an_unknown_node_is_answered_with_the_names_there_are():
    done = herdctl("-c", "tools/herds/goloman.conf", "--at", "Clark", "iamat", "kiwi", "1", "2")
    assert done.returncode == 2
    assert b"Goloman Hands Holiday Welsh Wilkes" in done.stderr


def test_a_missing_herd_file_is_one_clear_line(tmp_path):
    done = herdctl("-c", "/nowhere/herd.conf", "iamat", "kiwi", "1", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (b"herdctl: cannot read the herd file /nowhere/herd.conf: "
                           b"No such file or directory\n")


@pytest.mark.parametrize("text, line", [
    ("[node A]\nport = 70000\n", 2), ("[node A]\nport = 1\naddress = localhost\n", 3),
    ("[node A b]\nport = 1\n", 2), ("port\n", 1)])
def test_a_bad_herd_file_is_named_with_its_line(tmp_path, text, line):
    path = tmp_path / "bad.conf"
    path.write_text(text)
    done = herdctl("-c", str(path), "iamat", "kiwi", "1", "2")
    assert done.returncode == 2
    assert ("bad.conf:%d: " % line).encode() in done.stderr


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["iamat"], ["iamat", "kiwi", "1"], ["iamat", "kiwi", "1", "2", "3"],
    ["whatsat", "kiwi"], ["replay"], ["replay", "x.gpx"], ["--nope"], ["--at"],
    ["replay", "/nowhere.gpx", "--as", "d"], ["replay", "/", "--as", "d"],
    ["iamat", "kiwi", "1", "2", "--speed", "1"], ["whatsat", "kiwi", "1", "2", "--time", "1"],
    ["iamat", "kiwi", "1", "2", "--at", "localhost:1"], ["iamat", "kiwi", "1", "2", "--at", ":"],
    ["iamat", "kiwi", "1", "2", "--timeout", "0"], ["iamat", "kiwi", "1", "2", "--timeout", "x"],
    ["--help=yes"], ["a", "b", "c", "d", "e", "f"]])
def test_wrong_arguments_end_with_2_and_one_or_two_lines(node, arguments):
    if "--at" not in arguments:
        arguments = ["--at", node.at, *arguments]
    done = herdctl(*arguments)
    assert done.returncode == 2
    assert done.stdout == b"" or done.stdout.startswith(b"0 sent")
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert node.lines == []


@pytest.mark.parametrize("command", [None, "iamat", "whatsat", "replay"])
def test_help_has_examples_and_needs_no_herd(command, tmp_path):
    done = herdctl(*([command] if command else []), "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"herdctl" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_full_disk_is_not_taken_for_success(node):
    with open("/dev/full", "wb") as full:
        for options in ([], ["--json"]):
            done = herdctl("--at", node.at, *options, "iamat", "kiwi", "1", "2", stdout=full)
            assert done.returncode == 4
            assert b"cannot write the answer to stdout: No space left" in done.stderr


def test_a_long_answer_on_a_full_disk_is_said_too():
    with AnswerNode(AT + b'{"x":"' + b"y" * 20000 + b'"}\n\n') as node:
        with open("/dev/full", "wb") as full:
            done = herdctl("--at", node.at, "whatsat", "kiwi", "1", "2", stdout=full)
    assert done.returncode == 4
    assert b"cannot write the answer" in done.stderr


# errors say what to do

@pytest.mark.parametrize("arguments, words", [
    (["iamat", "kiwi", "91", "0"], [b"LAT is '91'", b"LAT goes before LON"]),
    (["iamat", "kiwi", "-118.4", "34.06"], [b"LAT is '-118.4'", b"LAT goes before LON"]),
    (["iamat", "kiwi", "34,06", "1"], [b"LAT is '34,06'", b"from -90 (south) to 90"]),
    (["iamat", "kiwi", "34", "118W"], [b"LON is '118W'", b"from -180 (west) to 180"]),
    (["iamat", "kiwi", "1", "0." + "1" * 200], [b"at most 125"]),
    (["iamat", "kiwi", "1", "2", "--time", "2026-01-02"], [b"--time is '2026", b"date +%s.%N"]),
    (["iamat", "kiwi", "34.06-118.44"], [b"3 arguments, not 2", b"iamat ID LAT LON"]),
    (["iamat", "k" * 1025, "1", "2"], [b"1 to 1024 bytes"]),
    (["whatsat", "kiwi", "51", "5"], [b"KM is '51'", b"from 0 to 50"]),
    (["whatsat", "kiwi", "5", "21"], [b"N is '21'", b"from 0 to 20"]),
    (["replay", "walk.gpx"], [b"--as ID", b"replay walk.gpx --as walker"]),
    (["replay"], [b"1 argument, not 0"]),
    (["fly"], [b"iamat, whatsat, replay and keys", b"--help"]),
    ([], [b"iamat, whatsat, replay and keys", b"--help"]),
    (["iamat", "kiwi", "1", "2", "--at", "clark"], [b"it is written Clark"]),
    (["iamat", "kiwi", "1", "2", "--at", "Nobody"], [b"Bailey Bona Campbell Clark Jaquez"]),
    (["iamat", "kiwi", "1", "2", "--at", "127.0.0.1"], [b"--at 127.0.0.1:10000"]),
    (["iamat", "kiwi", "1", "2", "--at", "localhost:10000"], [b"not looked up", b"127.0.0.1:"]),
    (["iamat", "kiwi", "1", "2", "--at", "127.0.0.1:99999"], [b"IPv4 ADDRESS:PORT"]),
    (["iamat", "kiwi", "1", "2", "--at", "[::1]:10000"], [b"IPv4 ADDRESS:PORT"]),
    (["iamat", "kiwi", "1", "2", "--timeout", "0"], [b"--timeout", b"from 1 to 86400"]),
    (["iamat", "kiwi", "1", "2", "--verbose"], [b"--verbose", b"--help"]),
])
def test_a_wrong_argument_is_told_what_would_be_right(arguments, words):
    done = herdctl(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    for word in words:
        assert word in done.stderr
    assert done.stderr.startswith(b"herdctl: ") and done.stderr.count(b"\n") == 1


def test_a_missing_default_herd_file_says_how_to_name_one(tmp_path):
    done = herdctl("iamat", "kiwi", "1", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert b"tools/herds/bailey.conf: No such file" in done.stderr
    assert b"-c FILE" in done.stderr and b"--at ADDRESS:PORT" in done.stderr


def test_a_missing_herd_file_of_the_environment_says_where_its_name_comes_from():
    done = herdctl("iamat", "kiwi", "1", "2", env={"HERD_FILE": "/nowhere/herd.conf"})
    assert done.returncode == 2
    assert b"environment's HERD_FILE" in done.stderr


def test_a_refused_connection_names_the_herd_file_that_it_trusted(tmp_path):
    path = herd_file(tmp_path, 2)
    done = herdctl("-c", path, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"nothing listens there" in done.stderr and path.encode() in done.stderr


def test_a_host_that_does_not_answer_ends_with_3_in_time():
    with socket.socket() as full:  # nobody accepts, and the queue is full: SYNs go unanswered
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        start = time.monotonic()
        done = herdctl("--at", "127.0.0.1:%d" % full.getsockname()[1], "--timeout", "1", "iamat",
                       "kiwi", "1", "2")
        for one in waiting:
            one.close()
    assert done.returncode == 3
    assert 0.9 < time.monotonic() - start < 3
    assert b"nothing answered within 1 s" in done.stderr and b"--timeout" in done.stderr


def test_a_connection_closed_without_an_answer_asks_for_the_port():
    with AnswerNode(b"", close=True) as node:
        done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"not link_port" in done.stderr


def test_an_answer_cut_after_the_at_line_ends_with_3():
    with AnswerNode(AT + b'{"results":', close=True) as node:
        done = herdctl("--at", node.at, "whatsat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"before it had answered everything" in done.stderr


@pytest.mark.parametrize("body, words", [
    (points(("1", "2", None), ("3", "4", None)), b"none of the 2 track points"),
    (points(("1", "2", "noon"), ("3", "4", None)), b"1 have no time, 1 a time that is not like"),
    (points(("91", "2", "2010-10-03T10:18:24Z")), b"1 no position in decimal degrees"),
])
def test_a_track_with_nothing_to_send_says_why(node, tmp_path, body, words):
    done = herdctl("--at", node.at, "replay", gpx(tmp_path, body), "--as", "d")
    assert done.returncode == 2
    assert words in done.stderr
    assert node.lines == []


def test_a_file_that_is_no_gpx_says_so(node, tmp_path):
    for name, text, words in (("a.jpg", "\xff\xd8\xff", b"is it a GPX track"),
                              ("b.gpx", "", b"is it a GPX track"),
                              ("c.kml", "<kml/>", b"is XML, but not GPX")):
        (tmp_path / name).write_text(text, encoding="latin-1")
        done = herdctl("--at", node.at, "replay", str(tmp_path / name), "--as", "d")
        assert done.returncode == 2
        assert words in done.stderr


def test_bytes_of_a_node_cannot_reach_the_terminal_through_errors(tmp_path):
    for reply in (b"? \x1b]0;owned\x07\xff\xc2\x9b\n", b"HTTP\x1b[2J\n"):
        with AnswerNode(reply) as node:
            done = herdctl("--at", node.at, "replay", long_track(tmp_path, 3), "--as", "d")
        assert done.returncode == 1
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", done.stderr)
        assert b"\\x1B" in done.stderr
        done.stderr.decode()


@pytest.mark.parametrize("reply", [
    b"AT\n", b"AT Fake\n", b"AT Fake +1 kiwi +1+2\n", b"AT Fake +1 kiwi 1+2 3\n",
    b"AT Fake +1 kiwi +1 3\n", b"AT Fake +1 kiwi +1+2 3 4\n", b"AT Fake +1 kiwi +1+2x 3\n",
    b"AT Fake +1 kiwi +.-. 3\n", b"AT Fake +1 kiwi +1+2 1e3\n", b" AT Fake +1 kiwi +1+2 3\n",
    b"\n", b"\0\n", b"HTTP/1.1 400 Bad Request\r\n", b"x" * 2000000 + b"\n"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_no_answer_of_a_node_ends_with_1(tmp_path, reply, options):
    with AnswerNode(reply) as node:
        for command in (["iamat", "kiwi", "1", "2"], ["whatsat", "kiwi", "1", "2"],
                        ["replay", long_track(tmp_path, 2), "--as", "d"]):
            done = herdctl("--at", node.at, *options, *command)
            assert done.returncode == 1, command
            if options:
                one_object(done)


# --json

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


AT_FIELDS = {"server": "Fake", "difference": "+0.263873386", "client": "kiwi",
             "latitude": "+34.068930", "longitude": "-118.445127", "time": "1621464827.959498503"}


def test_json_of_iamat_has_the_fields_of_the_at_line_as_text(node):
    done = herdctl("--at", node.at, "--json", "iamat", "kiwi", "34.068930", "-118.445127",
                   "--time", "1621464827.959498503")
    assert one_object(done) == {**AT_FIELDS, "exit": 0}
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_json_takes_a_difference_as_older_servers_write_it():
    for difference in (b"3.1e-05", b"-0.5", b"0"):
        with AnswerNode(b"AT Goloman " + difference + b" kiwi +1-2. .5\n") as node:
            answer = one_object(herdctl("--json", "--at", node.at, "iamat", "kiwi", "1", "2"))
        assert answer["difference"] == difference.decode()
        assert (answer["latitude"], answer["longitude"], answer["time"]) == ("+1", "-2.", ".5")


def test_json_of_whatsat_embeds_the_nodes_json_byte_for_byte():
    places = ('{ "html_attributions" : [],\n  "results" : [ {"name":"Caf\u00e9 \\ud83d\\ude00 \\"17\\"",'
              '"lat":-1.50e+01, "x":[true,false,null,[],{}]} ],\n "status" : "OK" }').encode()
    with AnswerNode(AT + places + b"\n\n") as node:
        done = herdctl("--at", node.at, "whatsat", "kiwi", "10", "5", "--json")
    answer = one_object(done)
    assert answer == {**AT_FIELDS, "places": json.loads(places), "exit": 0}
    assert places in done.stdout


@pytest.mark.parametrize("places", [
    b"", b"[]", b"{", b"{}x", b"{} {}", b"null", b"<html>", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,}',
    b'{"a":01}', b'{"a":.5}', b'{"a":1.}', b'{"a":-}', b'{"a":1e}', b'{"a":+1}', b'{"a":NaN}',
    b'{"a":[1,]}', b'{"a":[1}', b'{"a":1]', b'{"a" 1}', b'{"a":"\t"}', b'{"a":"\\x"}',
    b'{"a":"\\u12g4"}', b'{"a":"}', b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}',
    b"{'a':1}", b'{a:1}', b'{"a":tru}', b'{"a":"\0"}', b'\xef\xbb\xbf{}', b'{"a":/**/1}',
    pytest.param(b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", id="65 deep"),
    pytest.param(b'{"a":' * 50000 + b"1" + b"}" * 50000, id="50000 deep")])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_places_that_are_no_json_are_not_embedded_and_end_with_1(places, options):
    with AnswerNode(AT + places + b"\n\n") as node:
        done = herdctl("--at", node.at, *options, "whatsat", "kiwi", "10", "5")
    assert done.returncode == 1
    assert b"not JSON" in done.stderr
    if options:
        answer = one_object(done)
        assert "places" not in answer and answer["client"] == "kiwi"


@pytest.mark.parametrize("places", [
    b"{}", b" {\n} ", b'{"":{}}', b'{"a":[[],{},"",0,-0,0.0,1E5,1e-5]}', b'{"a":"\x7f"}',
    b'{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00Ff"}', '{"\u00e9\u20ac\U0001f600":1}'.encode(),
    pytest.param(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", id="64 deep")])
def test_places_that_are_json_are_embedded(places):
    with AnswerNode(AT + places + b"\n\n") as node:
        done = herdctl("--at", node.at, "--json", "whatsat", "kiwi", "10", "5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["places"] == json.loads(places)
    assert b'"places":' + places + b"," in done.stdout


def test_json_of_a_refusal_has_the_line_and_the_error(node):
    answer = one_object(herdctl("--at", node.at, "--json", "whatsat", "nobody", "10", "5"))
    assert answer["exit"] == 1
    assert answer["answer"] == "? WHATSAT nobody 10 5"
    assert "no report of this ID" in answer["error"]


@pytest.mark.parametrize("client, text", [
    (b'"\\/', '"\\/'), (b"\xff\xfe", "\ufffd\ufffd"), (b"\xc3", "\ufffd"), (b"\xc3(", "\ufffd("),
    (b"\xe2\x82", "\ufffd\ufffd"), (b"\xed\xa0\x80", "\ufffd" * 3), (b"\xc0\xaf", "\ufffd" * 2),
    (b"\xf4\x90\x80\x80", "\ufffd" * 4), (b"\xf0\x9f\x98\x80", "\U0001f600"), (b"a\0b", "a\0b"),
    (b"\x1b[2J\x7f", "\x1b[2J\x7f"), (b"\xc2\x9b", "\x9b"), ("\u2028\ufeff".encode(), "\u2028\ufeff"),
    ("k\u012bwi".encode(), "k\u012bwi")])
def test_json_escapes_whatever_bytes_a_node_sends(client, text):
    with AnswerNode(b"AT Fake +1 " + client + b" +1+2 3\n") as node:
        answer = one_object(herdctl("--at", node.at, "--json", "iamat", "kiwi", "1", "2"))
        assert answer["client"] == text
    with AnswerNode(b"? " + client + b"\n") as node:
        answer = one_object(herdctl("--at", node.at, "--json", "iamat", "kiwi", "1", "2"))
        assert answer["answer"] == "? " + text


def test_json_survives_every_byte_in_every_field():
    garbage = bytes(range(256)).replace(b"\n", b"")
    with AnswerNode(b"? " + garbage + b"\n") as node:
        answer = one_object(herdctl("--at", node.at, "--json", "iamat", "kiwi", "1", "2"))
    assert answer["answer"][:33] == "? " + "".join(map(chr, range(32))).replace("\n", "")
    assert answer["answer"].endswith("\ufffd" * 128)


def test_json_of_arguments_that_are_no_utf8_is_json(node):
    for arguments in ([b"fly\xff"], [b"--n\xffpe"], [b"iamat", b"k", b"\xff", b"1"],
                      [b"replay", b"/no\xff\n\"where", b"--as", b"d"]):
        environment = {k: v for k, v in os.environ.items() if k != "HERD_FILE"}
        done = subprocess.run([HERDCTL.encode(), b"--json", b"--at", node.at.encode(), *arguments],
                              capture_output=True, timeout=60, env=environment, check=False)
        answer = json.loads(done.stdout.decode("utf-8"))
        assert answer["exit"] == done.returncode == 2
        assert "\ufffd" in answer["error"]


def test_json_of_replay_is_one_summary(node, tmp_path):
    when = "2010-10-03T10:18:24Z"
    track = gpx(tmp_path, points(("1", "2", when), ("3", "4", None), ("91", "0", when),
                                 ("1", "2", "noon"), ("5", "-6", when)))
    answer = one_object(herdctl("--at", node.at, "--json", "replay", track, "--as", "d"))
    assert 0 <= answer.pop("seconds") < 30
    assert answer == {
        "sent": 2, "answered": 2, "refused": 0, "without_time": 1, "unusable_position": 1,
        "unusable_time": 1, "exit": 0,
        "last": {"server": "Fake", "difference": "+0.263873386", "client": "d", "latitude": "+5",
                 "longitude": "-6", "time": "1286101104"}}


def test_json_of_replay_with_refusals(tmp_path):
    with FakeNode(refuse_every=10) as node:
        done = herdctl("--at", node.at, "--json", "replay", long_track(tmp_path, 100), "--as", "d")
    answer = one_object(done)
    assert (answer["sent"], answer["answered"], answer["refused"]) == (100, 90, 10)
    assert answer["error"].endswith("(herd file)?") and "refused 10 of 100" in answer["error"]
    assert answer["last"] is not None


def test_json_of_replay_that_breaks_off_still_counts(tmp_path):
    with FakeNode(close_after=10) as node:
        done = herdctl("--at", node.at, "--json", "replay", long_track(tmp_path, 1000), "--as", "d")
    answer = one_object(done)
    assert answer["exit"] == 3 and answer["sent"] >= 10
    with FakeNode(mute=True) as node:
        done = herdctl("--at", node.at, "--json", "--timeout", "1", "replay",
                       long_track(tmp_path, 3), "--as", "d")
    answer = one_object(done)
    assert (answer["exit"], answer["sent"], answer["answered"]) == (3, 3, 0)
    assert answer["last"] is None


@pytest.mark.parametrize("arguments, code", [
    (["--json"], 2), (["--json", "fly"], 2), (["--json", "--nope"], 2), (["--nope", "--json"], 2),
    (["--json", "iamat", "kiwi"], 2), (["iamat", "kiwi", "91", "0", "--json"], 2),
    (["--json", "a", "b", "c", "d", "e", "f"], 2), (["--json=yes"], 2), (["--json", "--at"], 2),
    (["--json", "-c", "/nowhere", "iamat", "kiwi", "1", "2"], 2),
    (["--json", "--at", "Nobody", "iamat", "kiwi", "1", "2"], 2),
    (["--json", "replay", "/nowhere.gpx", "--as", "d"], 2),
    (["--json", "--at", "127.0.0.1:1", "iamat", "kiwi", "1", "2"], 3),
    (["--json", "--at", "127.0.0.1:1", "whatsat", "kiwi", "1", "2"], 3),
])
def test_json_of_every_error_is_an_object_with_error_and_exit_alone(arguments, code):
    done = herdctl(*arguments)
    if arguments == ["--json=yes"]:  # not the option: nobody asked for JSON
        assert done.returncode == 2 and done.stdout == b""
        return
    answer = one_object(done)
    assert set(answer) == {"error", "exit"}
    assert answer["exit"] == code


def test_json_of_a_missing_default_herd_file_has_both_lines(tmp_path):
    answer = one_object(herdctl("--json", "iamat", "kiwi", "1", "2", cwd=tmp_path))
    assert answer["error"].count("\n") == 1


def test_json_as_a_value_is_not_the_option(node):
    done = herdctl("--at", node.at, "--time", "3", "iamat", "--", "--json", "1", "2")
    assert done.stdout == b"AT Fake +0.263873386 --json +1+2 3\n"
    done = herdctl("--at", "--json", "iamat", "kiwi", "1", "2")
    assert done.returncode == 2 and done.stdout == b""
    assert b"there is no node --json" in done.stderr


def test_json_with_closed_stderr_still_says_what_is_wrong():
    done = subprocess.run(["/bin/sh", "-c", '"$0" --json fly 2>&-', HERDCTL], timeout=60,
                          stdout=subprocess.PIPE, check=False)
    assert json.loads(done.stdout)["exit"] == done.returncode == 2
    assert "iamat" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("options", ["", "--json"])
def test_what_is_said_with_closed_stderr_does_not_reach_the_node(options):
    with AnswerNode(b"? no\n") as node:
        done = subprocess.run(["/bin/sh", "-c", '"$0" %s --at %s iamat k 1 2 2>&-'
                               % (options, node.at), HERDCTL], stdout=subprocess.PIPE, timeout=60,
                              check=False)
        time.sleep(0.1)
        assert done.returncode == 1
        assert len(node.lines) == 1


def test_closed_stdout_is_not_taken_for_success(node):
    done = subprocess.run(["/bin/sh", "-c", '"$0" --at %s iamat k 1 2 >&-' % node.at, HERDCTL],
                          stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 4
    assert b"cannot write the answer" in done.stderr


def test_help_lists_every_exit_code_and_the_fields_of_json():
    general = herdctl("--help").stdout.decode()
    assert re.findall(r"^  (\d)  ", general, flags=re.M) == ["0", "1", "2", "3", "4"]
    for field in ("exit", "error", "answer"):
        assert re.search("^  %s  " % field, general, flags=re.M)
    iamat, replay = (herdctl(command, "--help").stdout.decode() for command in ("iamat", "replay"))
    for field in AT_FIELDS:
        assert re.search(r"\b%s\b" % field, iamat)
    for field in ("sent", "answered", "refused", "without_time", "unusable_position",
                  "unusable_time", "seconds", "last"):
        assert re.search(r"\b%s\b" % field, replay)
    assert re.search(r"\bplaces\b", herdctl("whatsat", "--help").stdout.decode())


# completion

COMPLETE = r"""
source "$1"; shift
complete -p herdctl >/dev/null || exit 9
COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@"); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_herdctl herdctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
for reply in "${COMPREPLY[@]}"; do printf '%s\n' "$reply"; done
"""


def complete(*words, cwd=ROOT, env=None):
    """What bash offers after `herdctl WORDS`, the last of which is being typed."""
    environment = {k: v for k, v in os.environ.items() if k != "HERD_FILE"}
    environment.update(env or {})
    done = subprocess.run(["bash", "--norc", "-u", "-c", COMPLETE, "bash",
                           str(ROOT / "tools/completion/herdctl.bash"), "herdctl", *words],
                          capture_output=True, timeout=60, cwd=cwd, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


GENERAL = ["--herd", "--at", "--timeout", "--json", "--help"]


@pytest.mark.parametrize("words, offered", [
    ([""], ["iamat", "whatsat", "replay", "keys"]),
    (["i"], ["iamat"]),
    (["x"], []),
    (["--"], GENERAL),
    (["--json", "w"], ["whatsat"]),
    (["--at", "Clark", "r"], ["replay"]),
    (["--at", "127.0.0.1", ":", "10000", "r"], ["replay"]),
    (["--at", "127.0.0.1", ":", "1"], []),
    (["--at", "127.0.0.1", ":"], []),
    (["--at", "=", "Clark", "r"], ["replay"]),
    (["-c", "tools/herds/solo.conf", "r"], ["replay"]),
    (["iamat", "--"], GENERAL + ["--time"]),
    (["iamat", "--ti"], ["--timeout", "--time"]),
    (["whatsat", "--"], GENERAL),
    (["replay", "x.gpx", "--"], GENERAL + ["--as", "--speed", "--now"]),
    (["iamat", ""], []),
    (["iamat", "kiwi", "-1", "-2", "--t"], ["--timeout", "--time"]),
    (["iamat", "--", "-"], []),
    (["--timeout", ""], []),
    (["replay", "--as", ""], []),
    (["--at", ""], ["Bailey", "Bona", "Campbell", "Clark", "Jaquez"]),
    (["--at", "B"], ["Bailey", "Bona"]),
    (["--at", "="], ["Bailey", "Bona", "Campbell", "Clark", "Jaquez"]),
    (["--at", "=", "C"], ["Campbell", "Clark"]),
    (["iamat", "kiwi", "1", "2", "--at", "J"], ["Jaquez"]),
    (["-c", "tools/herds/goloman.conf", "--at", "H"], ["Hands", "Holiday"]),
    (["-ctools/herds/goloman.conf", "--at", "H"], ["Hands", "Holiday"]),
    (["--herd", "tools/herds/goloman.conf", "--at", "H"], ["Hands", "Holiday"]),
    (["--herd", "=", "tools/herds/goloman.conf", "--at", "=", "H"], ["Hands", "Holiday"]),
    (["-c", "/nowhere", "--at", ""], []),
    (["-c", "tools/herds/so"], ["tools/herds/solo.conf"]),
    (["--herd", "=", "tools/herds/so"], ["tools/herds/solo.conf"]),
])
def test_completion_offers(words, offered):
    assert complete(*words) == offered


def test_completion_takes_nodes_from_the_herd_file_of_the_environment():
    env = {"HERD_FILE": "tools/herds/solo.conf"}
    assert complete("--at", "", env=env) == ["Solo"]
    assert complete("-c", "tools/herds/goloman.conf", "--at", "G", env=env) == ["Goloman"]


def test_completion_of_a_track_offers_gpx_files_and_folders_once(tmp_path):
    for name in ("walk.gpx", "two words.GPX", "photo.jpg", "x.gpx.bak"):
        (tmp_path / name).write_text("")
    (tmp_path / "old.gpx").mkdir()
    (tmp_path / "tracks").mkdir()
    assert sorted(complete("replay", "", cwd=tmp_path)) == [
        "old.gpx", "tracks", "two words.GPX", "walk.gpx"]
    assert complete("replay", "wa", cwd=tmp_path) == ["walk.gpx"]
    assert complete("replay", "walk.gpx", "", cwd=tmp_path) == []


def test_completion_runs_nothing_that_a_herd_file_says(tmp_path):
    herd = tmp_path / "evil herd.conf"
    herd.write_text("[node $(touch pwned)]\n[node `touch pwned`]\n[node a;touch pwned]\n"
                    "[node *]\n[node Fine]\n  [node  Spaced ] ; free\n; [node Not]\n")
    for word in (str(herd), '"%s"' % herd, str(herd).replace(" ", "\\ ")):
        assert complete("-c", word, "--at", "", cwd=tmp_path) == ["Fine", "Spaced"]
    assert complete("-c", "$(touch pwned)", "--at", "", cwd=tmp_path) == []
    assert not (tmp_path / "pwned").exists()


def test_completion_knows_every_option_and_command_of_the_help():
    text = "".join(herdctl(*command, "--help").stdout.decode()
                   for command in ([], ["iamat"], ["whatsat"], ["replay"], ["keys"]))
    offered = {option for command in ("iamat", "replay", "keys") for option in complete(command, "--")}
    assert offered == set(re.findall(r"--[a-z]+", text)) - {"--keys"}  # an option of herd's
    assert set(complete("keys", "--")) == {"--herd", "--json", "--help", "--rotate"}


# the presets

@pytest.mark.parametrize("name, first_port, nodes", [
    ("bailey", 10000, "Bailey Bona Campbell Clark Jaquez"),
    ("goloman", 16675, "Goloman Hands Holiday Welsh Wilkes"), ("solo", 10000, "Solo")])
def test_presets_have_their_nodes_on_their_ports(name, first_port, nodes):
    path = "tools/herds/%s.conf" % name
    done = herdctl("-c", path, "--at", "Nobody", "iamat", "kiwi", "1", "2")
    assert ("there are: %s\n" % nodes).encode() in done.stderr
    text = (ROOT / path).read_text()
    ports = [int(port) for port in re.findall(r"^port = (\d+)", text, flags=re.M)]
    assert ports == list(range(first_port, first_port + len(ports)))
    assert [int(port) for port in re.findall(r"^link_port = (\d+)", text, flags=re.M)] == [
        port + 1000 for port in ports]
