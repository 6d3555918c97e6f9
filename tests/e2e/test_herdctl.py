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
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
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
        for start in range(0, len(out), step):
            connection.sendall(out[start:start + step])
            if self.step:
                time.sleep(0.001)

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
            assert b"right port" in done.stderr


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
        done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2", stdout=full)
    assert done.returncode == 2
    assert b"cannot write" in done.stderr


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
