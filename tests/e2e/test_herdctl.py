"""herdctl: iamat and whatsat, completion, the presets."""

import json
import os
import re
import subprocess
import time

import pytest

from herdctl_common import ROOT, FakeNode, fixture_node, herd_file, herdctl  # noqa: F401


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
