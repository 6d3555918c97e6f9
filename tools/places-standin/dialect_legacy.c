/* Legacy Nearby Search: GET /maps/api/place/nearbysearch/json?location=&radius=&key=. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dialects.h"
#include "places.h"

#define PAGE_PLACES 20
#define VALUE_MAX   512

struct query {
    double lat_deg, lng_deg, radius_m;
    size_t offset; /* of the page among all that is found */
};

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return found == NULL ? -1 : (int)(found - digits);
}

/* Copies the decoded value of a query parameter. False when it is missing, too long or badly
 * encoded. A plus sign stays one: the node has to send plain numbers. */
static bool get_parameter(const char *target, const char *name, char value[VALUE_MAX])
{
    size_t name_len = strlen(name);
    const char *p = strchr(target, '?');
    while (p != NULL && !(strncmp(p + 1, name, name_len) == 0 && p[1 + name_len] == '=')) {
        p = strchr(p + 1, '&');
    }
    if (p == NULL) {
        return false;
    }
    p += name_len + 2;
    size_t len = 0;
    while (*p != '\0' && *p != '&' && len < VALUE_MAX - 1) {
        if (*p != '%') {
            value[len++] = *p++;
            continue;
        }
        int high = hex_digit(p[1]);
        int low = high < 0 ? -1 : hex_digit(p[2]);
        if (low < 0 || high + low == 0) {
            return false;
        }
        value[len++] = (char)(high * 16 + low);
        p += 3;
    }
    value[len] = '\0';
    return *p == '\0' || *p == '&';
}

/* "-12.5": digits with at most one point and an optional minus sign; *text moves behind it. */
static bool take_number(const char **text, double *number)
{
    const char *p = *text + (**text == '-');
    size_t whole = strspn(p, "0123456789");
    size_t point = p[whole] == '.';
    size_t fraction = point ? strspn(p + whole + 1, "0123456789") : 0;
    if (whole == 0 || (point && fraction == 0)) {
        return false;
    }
    *number = strtod(*text, NULL);
    *text = p + whole + point + fraction;
    return true;
}

static bool parse_location(const char *text, struct query *query)
{
    return take_number(&text, &query->lat_deg) && *text++ == ',' &&
           take_number(&text, &query->lng_deg) && *text == '\0' && query->lat_deg >= -90 &&
           query->lat_deg <= 90 && query->lng_deg >= -180 && query->lng_deg <= 180;
}

/* A page token is the query itself in hexadecimal, long as Google's are. */
static void write_page_token(struct buf *body, const struct query *query)
{
    char text[160];
    int len = snprintf(text, sizeof text, "%zu;%.9f,%.9f;%.3f;%080d", query->offset + PAGE_PLACES,
                       query->lat_deg, query->lng_deg, query->radius_m, 0);
    for (int i = 0; i < len; i++) {
        buf_printf(body, "%02x", (unsigned)text[i]);
    }
}

static bool parse_page_token(const char *token, struct query *query)
{
    char text[VALUE_MAX / 2];
    size_t len = 0;
    for (; token[0] != '\0'; token += 2) {
        int high = hex_digit(token[0]);
        int low = high < 0 ? -1 : hex_digit(token[1]);
        if (low < 0) {
            return false;
        }
        text[len++] = (char)(high * 16 + low);
    }
    text[len] = '\0';
    return sscanf(text, "%zu;%lf,%lf;%lf;", &query->offset, &query->lat_deg, &query->lng_deg,
                  &query->radius_m) == 4 &&
           query->offset < PLACES_FOUND_MAX;
}

static bool read_query(const char *target, struct query *query)
{
    char value[VALUE_MAX];
    if (get_parameter(target, "pagetoken", value)) {
        return parse_page_token(value, query);
    }
    if (!get_parameter(target, "location", value) || !parse_location(value, query)) {
        return false;
    }
    const char *radius = value;
    return get_parameter(target, "radius", value) && take_number(&radius, &query->radius_m) &&
           *radius == '\0' && query->radius_m > 0 && query->radius_m <= 50000;
}

static bool check_key(const struct dialects_config *config, const char *target, struct reply *reply)
{
    char key[VALUE_MAX];
    if (!get_parameter(target, "key", key)) {
        dialects_write_legacy_status(
            reply, "REQUEST_DENIED",
            "You must use an API key to authenticate each request to Google Maps Platform APIs. "
            "For additional information, please refer to http://g.co/dev/maps-no-account");
    } else if (strcmp(key, config->key) != 0) {
        dialects_write_legacy_status(reply, "REQUEST_DENIED", "The provided API key is invalid. ");
    } else if (config->scope == KEY_FOR_NEW) {
        dialects_write_legacy_status(
            reply, "REQUEST_DENIED",
            "You're calling a legacy API, which is not enabled for your project. To get newer "
            "features and more functionality, switch to the Places API (New) or Routes API. Learn "
            "more: https://developers.google.com/maps/legacy#LegacyApiNotActivatedMapError");
    } else {
        return true;
    }
    return false;
}

static void write_point(struct buf *body, const char *indent, const char *name, double lat_deg,
                        double lng_deg)
{
    buf_printf(body, "%s\"%s\": {\n%s   \"lat\": ", indent, name, indent);
    buf_add_degrees(body, lat_deg);
    buf_printf(body, ",\n%s   \"lng\": ", indent);
    buf_add_degrees(body, lng_deg);
    buf_printf(body, "\n%s}", indent);
}

static void write_geometry(struct buf *body, const struct place *place)
{
    const double half_deg = 0.00134989;
    buf_add_str(body, "         \"geometry\": {\n");
    write_point(body, "            ", "location", place->lat_deg, place->lng_deg);
    buf_add_str(body, ",\n            \"viewport\": {\n");
    write_point(body, "               ", "northeast", place->lat_deg + half_deg,
                place->lng_deg + half_deg);
    buf_add_str(body, ",\n");
    write_point(body, "               ", "southwest", place->lat_deg - half_deg,
                place->lng_deg - half_deg);
    buf_add_str(body, "\n            }\n         },\n");
}

/* The length of Google's photo references makes up a good part of an answer. */
static void write_photo(struct buf *body, unsigned long long hash)
{
    buf_printf(body,
               "         \"photos\": [\n            {\n               \"height\": %llu,\n"
               "               \"html_attributions\": [\n                  \"\\u003ca href=\\\""
               "https://maps.google.com/maps/contrib/%llu\\\"\\u003eA Google User\\u003c/a\\u003e"
               "\"\n               ],\n               \"photo_reference\": \"",
               480 + hash % 3000, hash);
    for (int i = 0; i < 12; i++) {
        hash = places_hash(hash);
        buf_printf(body, "%016llx", hash);
    }
    buf_printf(body, "\",\n               \"width\": %llu\n            }\n         ],\n",
               640 + hash % 3000);
}

static void write_types(struct buf *body, const char *types)
{
    buf_add_str(body, "         \"types\": [\n            \"");
    for (; *types != '\0'; types++) {
        if (*types == ',') {
            buf_add_str(body, "\",\n            \"");
        } else {
            buf_add(body, types, 1);
        }
    }
    buf_add_str(body, "\"\n         ],\n");
}

static void write_place(struct buf *body, const struct place *place)
{
    unsigned long long hash = 0;
    for (const char *p = place->id; *p != '\0'; p++) {
        hash = places_hash(hash ^ (unsigned char)*p);
    }
    buf_add_str(body, "      {\n         \"business_status\": \"OPERATIONAL\",\n");
    write_geometry(body, place);
    buf_add_str(body,
                "         \"icon\": \"https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/"
                "generic_business-71.png\",\n"
                "         \"icon_background_color\": \"#7B9EB0\",\n"
                "         \"icon_mask_base_uri\": \"https://maps.gstatic.com/mapfiles/place_api/"
                "icons/v2/generic_pinlet\",\n         \"name\": ");
    buf_add_json_string(body, place->name);
    buf_printf(body,
               ",\n         \"opening_hours\": {\n            \"open_now\": %s\n         },\n",
               hash % 3 != 0 ? "true" : "false");
    write_photo(body, hash);
    buf_printf(body,
               "         \"place_id\": \"%s\",\n         \"rating\": %llu.%llu,\n"
               "         \"reference\": \"%s\",\n         \"scope\": \"GOOGLE\",\n",
               place->id, 1 + hash % 4, hash / 4 % 10, place->id);
    write_types(body, place->types);
    buf_printf(body,
               "         \"user_ratings_total\": %llu,\n         \"vicinity\": ", hash / 64 % 5000);
    buf_add_json_string(body, place->vicinity);
    buf_add_str(body, "\n      }");
}

static void write_page(struct buf *body, const struct query *query)
{
    static struct place found[PLACES_FOUND_MAX];
    size_t count =
        places_find(query->lat_deg, query->lng_deg, query->radius_m, found, PLACES_FOUND_MAX);
    size_t end = query->offset + PAGE_PLACES < count ? query->offset + PAGE_PLACES : count;

    buf_add_str(body, "{\n   \"html_attributions\": [],\n");
    if (end < count) {
        buf_add_str(body, "   \"next_page_token\": \"");
        write_page_token(body, query);
        buf_add_str(body, "\",\n");
    }
    buf_add_str(body, "   \"results\": [\n");
    for (size_t i = query->offset; i < end; i++) {
        write_place(body, &found[i]);
        buf_add_str(body, i + 1 < end ? ",\n" : "\n");
    }
    buf_add_str(body, "   ],\n   \"status\": \"OK\"\n}\n");
}

void dialect_legacy_answer(const struct dialects_config *config, const struct http_request *request,
                           struct reply *reply, bool *bad_key)
{
    struct query query = {0};
    struct place nearest;

    if (!check_key(config, request->target, reply)) {
        *bad_key = true;
    } else if (!read_query(request->target, &query)) {
        dialects_write_legacy_status(reply, "INVALID_REQUEST", NULL);
    } else if (config->legacy_file.len > 0) {
        reply->status = 200;
        reply->content_type = "application/json; charset=UTF-8";
        buf_add(&reply->body, config->legacy_file.data, config->legacy_file.len);
    } else if (places_find(query.lat_deg, query.lng_deg, query.radius_m, &nearest, 1) == 0) {
        dialects_write_legacy_status(reply, "ZERO_RESULTS", NULL);
    } else {
        reply->status = 200;
        reply->content_type = "application/json; charset=UTF-8";
        write_page(&reply->body, &query);
    }
}
