"""herdctl --json: one object, whatever happens."""

import json
import os
import re
import subprocess
import time

import pytest

from herdctl_common import (AT, HERDCTL, AnswerNode, FakeNode, fixture_node, gpx, herdctl,
                            long_track, one_object, points)  # noqa: F401


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
