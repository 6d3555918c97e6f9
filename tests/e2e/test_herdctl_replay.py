"""herdctl replay: recorded tracks, their times and their pace."""

import calendar
import re
import time

import pytest

from herdctl_common import TRACKS, FakeNode, fixture_node, gpx, herdctl, long_track, points  # noqa: F401


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
