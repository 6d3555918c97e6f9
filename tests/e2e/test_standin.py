"""The Places stand-in by itself: what it answers, and what it refuses."""

import json
import math
import re

import pytest

from standin_common import (KEY, LEGACY_PATH, MASK, NEW_PATH, UCLA, distance_m, get, legacy,
                            legacy_points, legacy_target, new_body, post, shared, standin, start)  # noqa: F401


# ---- The legacy API ----

def test_legacy_answer_has_the_shape_of_googles(standin):
    response, body = get(standin, legacy_target())
    assert response.getheader("Content-Type").startswith("application/json")
    assert int(response.getheader("Content-Length")) == len(body)
    assert body.startswith(b'{\n   "html_attributions": [],\n')
    answer = json.loads(body)
    assert answer["status"] == "OK"
    assert 10 < len(answer["results"]) <= 20
    for entry in answer["results"]:
        assert re.fullmatch(r"ChIJ[A-Za-z0-9_-]{23}", entry["place_id"])
        assert entry["name"] and entry["vicinity"] and entry["types"]
    assert len({entry["place_id"] for entry in answer["results"]}) == len(answer["results"])
    assert 1000 < len(body) / len(answer["results"]) < 3000  # about as long as real ones


def test_places_are_ranked_by_distance_and_within_the_radius(standin):
    for radius in (200, 1000, 50000):
        points = legacy_points(legacy(standin, radius=str(radius)))
        distances = [distance_m(UCLA, point) for point in points]
        assert distances and distances == sorted(distances) and distances[-1] <= radius


def test_landmarks_are_found_where_they_are(standin):
    for at, name in (((34.0716, -118.4422), "UCLA Powell Library"),
                     ((45.7826, 14.2038), "Postojnska jama"),
                     ((-33.8568, 151.2153), "Sydney Opera House"),
                     ((35.6586, 139.7454), "東京タワー"),
                     ((0.0, 0.0), 'Station 13010 ("Null Island")'),
                     ((-90.0, 77.0), "Amundsen–Scott South Pole Station"),
                     ((-16.79, -180.0), "180th Meridian, Taveuni")):
        assert legacy(standin, at)["results"][0]["name"] == name


def test_every_coordinate_has_an_answer(standin):
    places = [(0, 0), (90, 0), (-90, 0), (90, -180), (89.9999, 123.4), (-89.997, -45), (0, 180),
              (0, -180), (12.3, 179.9999), (12.3, -179.9999), (51.48, 0), (-54.9, -67.6)]
    for i in range(200):  # a spiral over the globe
        places.append((math.degrees(math.asin(-0.995 + i * 0.01)), i * 137.50776 % 360 - 180))
    connection = standin.connect()
    for at in places:
        connection.request("POST", NEW_PATH, json.dumps(new_body(at, 1200)), {
            "Content-Type": "application/json", "X-Goog-Api-Key": KEY,
            "X-Goog-FieldMask": "places.location"})
        found = json.loads(connection.getresponse().read())["places"]
        points = [(one["location"]["latitude"], one["location"]["longitude"]) for one in found]
        distances = [distance_m(at, point) for point in points]
        assert distances[0] <= 361, at
        assert distances[-1] <= 1200.1 and len(set(points)) == len(points), at
        assert len(points) >= 12, at  # 1.2 km around hold 18 cells of 500 m
    connection.close()


def test_grid_is_complete_around_a_pole_and_across_the_date_line(standin):
    """Two searches beside each other, on both sides of an edge, find the same places between."""
    for a, b in (((5, 179.9999), (5, -179.9999)), ((89.9999, 10), (89.9999, -170)),
                 ((0.00001, 50), (-0.00001, 50))):
        found = [{entry["place_id"] for entry in legacy(standin, at, "900")["results"]}
                 for at in (a, b)]
        assert len(found[0]) > 5 and len(found[0] ^ found[1]) <= 2


def test_answers_are_the_same_in_every_run(standin, start):
    other = start()
    assert get(standin, legacy_target())[1] == get(other, legacy_target())[1]


def test_zero_results_when_the_radius_is_small(standin):
    answer = legacy(standin, (34.0667, -118.4427), "1")
    assert (answer["status"], answer["results"]) == ("ZERO_RESULTS", [])


@pytest.mark.parametrize("query", [
    "radius=100", "location=1,2", "location=1&radius=100", "location=1,2&radius=0",
    "location=1,2&radius=50001", "location=91,2&radius=100", "location=1,181&radius=100",
    "location=1,2,3&radius=100", "location=1e1,2&radius=100", "location=+1,2&radius=100",
    "location=1.,2&radius=100", "location=nan,2&radius=100", "location=1,2&radius=-5",
    "location=1,2&radius=1km", "location=%zz,2&radius=100", "pagetoken=abc"])
def test_legacy_invalid_requests(standin, query):
    response, body = get(standin, f"{LEGACY_PATH}?{query}&key={KEY}")
    assert (response.status, json.loads(body)["status"]) == (200, "INVALID_REQUEST")
    assert standin.stats()["bad_key"] == 0


def test_percent_encoded_location_is_taken(standin):
    plain = get(standin, f"{LEGACY_PATH}?location=1.5,2.5&radius=900&key={KEY}")[1]
    coded = get(standin, f"{LEGACY_PATH}?location=1%2E5%2C2.5&radius=900&key={KEY}")[1]
    assert b'"OK"' in plain and plain == coded


def test_pages_follow_each_other(standin):
    pages = [legacy(standin, radius="50000")]
    while "next_page_token" in pages[-1]:
        token = pages[-1]["next_page_token"]
        pages.append(json.loads(get(standin, f"{LEGACY_PATH}?pagetoken={token}&key={KEY}")[1]))
    assert [len(page["results"]) for page in pages] == [20, 20, 20]
    distances = [distance_m(UCLA, point) for page in pages for point in legacy_points(page)]
    assert distances == sorted(distances) and len(set(distances)) == 60


def test_legacy_key_is_checked(standin):
    for target, words in ((legacy_target(key="wrong"), "invalid"),
                          (f"{LEGACY_PATH}?location=1,2&radius=100", "must use an API key"),
                          (legacy_target(key=KEY + "x"), "invalid"),
                          (legacy_target(key=KEY[:-1]), "invalid")):
        answer = json.loads(get(standin, target)[1])
        assert answer["status"] == "REQUEST_DENIED" and answer["results"] == []
        assert words in answer["error_message"]
    assert standin.stats()["bad_key"] == 4


def test_answer_file_is_served_byte_for_byte(start, tmp_path):
    file = tmp_path / "answer.json"
    file.write_bytes('{ "results" : [],\n\n "status" : "ÖK" }\n\n\n'.encode())
    one = start("--answer-file", str(file))
    assert get(one, legacy_target())[1] == file.read_bytes()
    assert legacy(one, key="wrong")["status"] == "REQUEST_DENIED"


# ---- The new API ----

def test_new_answer_honours_field_mask_and_count(standin):
    status, answer = post(standin, new_body(count=3))
    assert status == 200 and len(answer["places"]) == 3
    for place in answer["places"]:
        assert set(place) == {"id", "displayName", "location", "types", "shortFormattedAddress"}
    status, answer = post(standin, new_body(), mask="places.displayName")
    assert len(answer["places"]) > 3
    assert all(set(place) == {"displayName"} for place in answer["places"])
    assert set(post(standin, new_body(), mask="*")[1]["places"][0]) > {"name", "formattedAddress"}


def test_both_dialects_find_the_same_places(standin):
    places = post(standin, new_body())[1]["places"]
    entries = legacy(standin)["results"]
    assert [place["id"] for place in places] == [entry["place_id"] for entry in entries]
    assert [p["displayName"]["text"] for p in places] == [entry["name"] for entry in entries]
    assert [place["types"] for place in places] == [entry["types"] for entry in entries]


def test_new_answer_without_places_is_an_empty_object(standin):
    assert post(standin, new_body((34.0667, -118.4427), 1)) == (200, {})


@pytest.mark.parametrize("body", [
    "", "{", "[]", "{} x", "null", "{}", json.dumps(new_body()) + "}",
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 1e999'),
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 01'),
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 5, "radius": 6'),
    json.dumps(new_body()).replace('"maxResultCount"', '"maxResultCounts"'),
    b'{"languageCode":"\xff"}', "[" * 5000,
    json.dumps(new_body(radius="100")), json.dumps(new_body(radius=0)),
    json.dumps(new_body(radius=50000.5)), json.dumps(new_body(radius=-1)),
    json.dumps(new_body(at=(90.1, 0))), json.dumps(new_body(at=(0, 180.1))),
    json.dumps(new_body(at=(None, 0))), json.dumps(new_body(count=0)),
    json.dumps(new_body(count=21)), json.dumps(new_body(count=1.5)),
    json.dumps(new_body(rankPreference="NEAREST")), json.dumps(new_body(unknown=1)),
    json.dumps(new_body(locationRestriction=5))])
def test_new_invalid_bodies(standin, body):
    status, answer = post(standin, body)
    assert (status, answer["error"]["code"], answer["error"]["status"]) == (
        400, 400, "INVALID_ARGUMENT")
    assert answer["error"]["message"]


def test_new_body_may_be_written_in_any_way_json_allows(standin):
    plain = post(standin, new_body())
    spaced = json.dumps(new_body(), indent=4).replace("1000.0", "1.0E+3")
    spaced = spaced.replace("rankPreference", "rank\\u0050reference")
    assert plain[0] == 200 and post(standin, spaced) == plain


@pytest.mark.parametrize("mask", [None, "places.unknown", "displayName",
                                  "places.displayName, places.id", "places.id,,places.types"])
def test_new_field_mask_is_required_and_checked(standin, mask):
    status, answer = post(standin, new_body(), mask=mask)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "field" in answer["error"]["message"].lower()


def test_new_content_type_is_required(standin):
    assert post(standin, new_body(), **{"Content-Type": "text/plain"})[0] == 400


def test_new_key_is_checked(standin):
    status, answer = post(standin, new_body(), key="wrong")
    assert (status, answer["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    status, answer = post(standin, new_body(), key=None)
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert standin.stats()["bad_key"] == 2


def test_a_key_in_the_url_does_not_count_for_the_new_api(standin):
    connection = standin.connect()
    connection.request("POST", f"{NEW_PATH}?key={KEY}", json.dumps(new_body()),
                       {"Content-Type": "application/json", "X-Goog-FieldMask": MASK})
    assert connection.getresponse().status == 403
    assert " key_in=target " in standin.control("last")


def test_key_for_one_api_is_refused_by_the_other(start):
    new_only, legacy_only = start("--only", "new"), start("--only", "legacy")
    assert post(new_only, new_body())[0] == 200
    refused = legacy(new_only)
    assert refused["status"] == "REQUEST_DENIED" and "legacy API" in refused["error_message"]
    assert legacy(legacy_only)["status"] == "OK"
    status, answer = post(legacy_only, new_body())
    assert (status, answer["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")
