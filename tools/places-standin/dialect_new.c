/* Places API (New): POST /v1/places:searchNearby. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialects.h"
#include "json.h"
#include "places.h"

struct query {
    long max_results;
    bool has_lat, has_lng, has_radius;
    double lat_deg, lng_deg, radius_m;
    char error[256]; /* what is wrong, empty while nothing is */
};

static bool refuse(struct query *query, const char *format, const char *path)
{
    snprintf(query->error, sizeof query->error, format, path);
    return false;
}

static bool take_number(struct query *query, const struct json_value *value, double *number,
                        bool *seen)
{
    if (value->type != JSON_NUMBER) {
        return refuse(query, "Invalid value at '%s' (TYPE_DOUBLE)", value->path);
    }
    *number = value->number;
    *seen = true;
    return true;
}

static bool take_max_results(struct query *query, const struct json_value *value)
{
    if (value->type != JSON_NUMBER || value->number != trunc(value->number)) {
        return refuse(query, "Invalid value at '%s' (TYPE_INT32)", value->path);
    }
    if (value->number < 1 || value->number > 20) {
        return refuse(query, "Max result count must be between 1 and 20 inclusive.%s", "");
    }
    query->max_results = (long)value->number;
    return true;
}

static bool take_member(const struct json_value *value, void *context)
{
    static const char *const objects[] = {"", "locationRestriction", "locationRestriction.circle",
                                          "locationRestriction.circle.center"};
    struct query *query = context;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (strcmp(value->path, objects[i]) == 0) {
            return value->type == JSON_OBJECT ||
                   refuse(query, "Invalid value at '%s' (an object is expected)", value->path);
        }
    }
    if (strcmp(value->path, "locationRestriction.circle.center.latitude") == 0) {
        return take_number(query, value, &query->lat_deg, &query->has_lat);
    }
    if (strcmp(value->path, "locationRestriction.circle.center.longitude") == 0) {
        return take_number(query, value, &query->lng_deg, &query->has_lng);
    }
    if (strcmp(value->path, "locationRestriction.circle.radius") == 0) {
        return take_number(query, value, &query->radius_m, &query->has_radius);
    }
    if (strcmp(value->path, "maxResultCount") == 0) {
        return take_max_results(query, value);
    }
    if (strcmp(value->path, "rankPreference") == 0) {
        return (value->type == JSON_STRING &&
                (strcmp(value->text, "DISTANCE") == 0 || strcmp(value->text, "POPULARITY") == 0)) ||
               refuse(query, "Invalid value at '%s' (DISTANCE or POPULARITY)", value->path);
    }
    if (strcmp(value->path, "languageCode") == 0 || strcmp(value->path, "regionCode") == 0) {
        return value->type == JSON_STRING ||
               refuse(query, "Invalid value at '%s' (TYPE_STRING)", value->path);
    }
    return refuse(query, "Invalid JSON payload received. Unknown name \"%s\": Cannot find field.",
                  value->path);
}

static void read_query(const struct http_request *request, struct query *query)
{
    const char *wrong = json_read(request->body, request->body_bytes, take_member, query);
    if (query->error[0] != '\0') {
        return;
    }
    if (wrong != NULL) {
        refuse(query, "Invalid JSON payload received. %s", wrong);
    } else if (!query->has_lat || !query->has_lng || !query->has_radius) {
        refuse(query, "%s is required.",
               query->has_lat && query->has_lng ? "circle.radius" : "circle.center");
    } else if (query->lat_deg < -90 || query->lat_deg > 90) {
        refuse(query, "Invalid center.latitude: must be in the range [-90, 90].%s", "");
    } else if (query->lng_deg < -180 || query->lng_deg > 180) {
        refuse(query, "Invalid center.longitude: must be in the range [-180, 180].%s", "");
    } else if (query->radius_m <= 0 || query->radius_m > 50000) {
        refuse(query, "Invalid circle.radius: must be in the range (0, 50000].%s", "");
    }
}

/* Fields of a place, in the order in which Google writes them. */
enum field { NAME, ID, TYPES, FORMATTED_ADDRESS, LOCATION, DISPLAY_NAME, SHORT_ADDRESS, FIELDS };

static const char *const served[FIELDS] = {
    [NAME] = "name",
    [ID] = "id",
    [TYPES] = "types",
    [FORMATTED_ADDRESS] = "formattedAddress",
    [LOCATION] = "location",
    [DISPLAY_NAME] = "displayName",
    [SHORT_ADDRESS] = "shortFormattedAddress",
};

/* Fields that exist at Google and that no place has here. */
static const char *const absent[] = {
    "accessibilityOptions",
    "addressComponents",
    "adrFormatAddress",
    "attributions",
    "businessStatus",
    "currentOpeningHours",
    "editorialSummary",
    "googleMapsUri",
    "iconBackgroundColor",
    "iconMaskBaseUri",
    "internationalPhoneNumber",
    "nationalPhoneNumber",
    "photos",
    "plusCode",
    "priceLevel",
    "primaryType",
    "primaryTypeDisplayName",
    "rating",
    "regularOpeningHours",
    "userRatingCount",
    "utcOffsetMinutes",
    "viewport",
    "websiteUri",
};

/* Takes one path of the mask ("places.location"); false when Google has no such field. */
static bool take_field(const char *path, bool wanted[FIELDS])
{
    if (strcmp(path, "*") == 0 || strcmp(path, "places") == 0 || strcmp(path, "places.*") == 0) {
        for (size_t i = 0; i < FIELDS; i++) {
            wanted[i] = true;
        }
        return true;
    }
    if (strncmp(path, "places.", 7) != 0) {
        return false;
    }
    path += 7;
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(path, served[i]) == 0) {
            wanted[i] = true;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        if (strcmp(path, absent[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Reads X-Goog-FieldMask; writes the refusal and returns false when it is missing or wrong. */
static bool read_mask(const struct http_request *request, bool wanted[FIELDS], struct reply *reply)
{
    const char *mask = http_header(request, "X-Goog-FieldMask");
    if (mask == NULL || *mask == '\0') {
        dialects_write_error(
            reply, 400, "INVALID_ARGUMENT",
            "FieldMask is a required parameter. See https://cloud.google.com/apis/docs/"
            "system-parameters on how to provide it as a URL query parameter (fields or $fields) "
            "or as an HTTP header (X-Goog-FieldMask). For example: 'X-Goog-FieldMask: "
            "places.displayName,places.id'. To see all fields use '*' (not in production).",
            NULL);
        return false;
    }
    bool good = true;
    char *copy = strdup(mask);
    for (char *rest = copy, *path; good && (path = strsep(&rest, ",")) != NULL;) {
        good = take_field(path, wanted);
        if (!good) {
            char message[160];
            snprintf(message, sizeof message,
                     "Error expanding 'fields' parameter. Cannot find matching fields for path "
                     "'%.60s'.",
                     path);
            dialects_write_error(reply, 400, "INVALID_ARGUMENT", message, NULL);
        }
    }
    free(copy);
    return good;
}

static bool check_key(const struct dialects_config *config, const struct http_request *request,
                      struct reply *reply)
{
    const char *key = http_header(request, "X-Goog-Api-Key");
    if (key == NULL) {
        dialects_write_error(reply, 403, "PERMISSION_DENIED",
                             "Method doesn't allow unregistered callers (callers without "
                             "established identity). Please use API Key or other form of API "
                             "consumer identity to call this API.",
                             NULL);
    } else if (strcmp(key, config->key) != 0) {
        dialects_write_error(reply, 400, "INVALID_ARGUMENT",
                             "API key not valid. Please pass a valid API key.", "API_KEY_INVALID");
    } else if (config->scope == KEY_FOR_LEGACY) {
        dialects_write_error(
            reply, 403, "PERMISSION_DENIED",
            "Places API (New) has not been used in project 1234567890 before or it is disabled. "
            "Enable it by visiting https://console.developers.google.com/apis/api/"
            "places.googleapis.com/overview?project=1234567890 then retry. If you enabled this "
            "API recently, wait a few minutes for the action to propagate to our systems and "
            "retry.",
            "SERVICE_DISABLED");
    } else {
        return true;
    }
    return false;
}

static void write_types(struct buf *body, const char *types)
{
    buf_add_str(body, "      \"types\": [");
    const char *comma = "";
    while (*types != '\0') {
        int len = (int)strcspn(types, ",");
        buf_printf(body, "%s\n        \"%.*s\"", comma, len, types);
        types += len + (types[len] == ',');
        comma = ",";
    }
    buf_add_str(body, "\n      ]");
}

static void write_field(struct buf *body, enum field field, const struct place *place)
{
    switch (field) {
    case NAME:
        buf_printf(body, "      \"name\": \"places/%s\"", place->id);
        break;
    case ID:
        buf_printf(body, "      \"id\": \"%s\"", place->id);
        break;
    case TYPES:
        write_types(body, place->types);
        break;
    case FORMATTED_ADDRESS:
    case SHORT_ADDRESS:
        buf_printf(body, "      \"%s\": ", served[field]);
        buf_add_json_string(body, place->vicinity);
        break;
    case LOCATION:
        buf_add_str(body, "      \"location\": {\n        \"latitude\": ");
        buf_add_degrees(body, place->lat_deg);
        buf_add_str(body, ",\n        \"longitude\": ");
        buf_add_degrees(body, place->lng_deg);
        buf_add_str(body, "\n      }");
        break;
    case DISPLAY_NAME:
        buf_add_str(body, "      \"displayName\": {\n        \"text\": ");
        buf_add_json_string(body, place->name);
        buf_add_str(body, ",\n        \"languageCode\": \"en\"\n      }");
        break;
    case FIELDS:
        break;
    }
}

static void write_places(struct buf *body, const struct place *places, size_t count,
                         const bool wanted[FIELDS])
{
    if (count == 0) {
        buf_add_str(body, "{}\n");
        return;
    }
    buf_add_str(body, "{\n  \"places\": [");
    for (size_t i = 0; i < count; i++) {
        buf_add_str(body, i == 0 ? "\n    {" : ",\n    {");
        const char *comma = "\n";
        for (size_t f = 0; f < FIELDS; f++) {
            if (wanted[f]) {
                buf_add_str(body, comma);
                write_field(body, (enum field)f, &places[i]);
                comma = ",\n";
            }
        }
        buf_add_str(body, "\n    }");
    }
    buf_add_str(body, "\n  ]\n}\n");
}

void dialect_new_answer(const struct dialects_config *config, const struct http_request *request,
                        struct reply *reply, bool *bad_key)
{
    struct place found[20];
    bool wanted[FIELDS] = {false};
    struct query query = {.max_results = 20};

    if (!check_key(config, request, reply)) {
        *bad_key = true;
        return;
    }
    const char *type = http_header(request, "Content-Type");
    if (type == NULL || strncmp(type, "application/json", 16) != 0) {
        dialects_write_error(reply, 400, "INVALID_ARGUMENT",
                             "Invalid JSON payload received. Content-Type is not "
                             "application/json.",
                             NULL);
        return;
    }
    read_query(request, &query);
    if (query.error[0] != '\0') {
        dialects_write_error(reply, 400, "INVALID_ARGUMENT", query.error, NULL);
        return;
    }
    if (!read_mask(request, wanted, reply)) {
        return;
    }
    size_t count =
        places_find(query.lat_deg, query.lng_deg, query.radius_m, found, (size_t)query.max_results);
    reply->status = 200;
    reply->content_type = "application/json; charset=UTF-8";
    write_places(&reply->body, found, count, wanted);
}
