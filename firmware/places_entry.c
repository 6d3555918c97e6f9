#include "places_entry.h"

#define LAT_E7_MAX 900000000u
#define LNG_E7_MAX 1800000000u

int places_entry_string(const struct json_value *object, const char *name, struct span *out)
{
    const struct json_value *v;
    int err = json_member(object, name, &v);

    *out = (struct span){NULL, 0};
    if (err == HERD_E_RANGE) {
        return HERD_OK;
    }
    return err != HERD_OK ? err : json_string(v, out);
}

static int coordinate(const struct json_value *object, const char *name, uint32_t max_e7,
                      struct span *digits)
{
    const struct json_value *v;
    int32_t e7;
    int err = json_member(object, name, &v);

    if (err == HERD_E_RANGE) {
        *digits = SPAN_LIT("0"); /* the new API leaves out what is zero */
        return HERD_OK;
    }
    if (err != HERD_OK || json_number(v, digits) != HERD_OK ||
        json_parse_e7(*digits, max_e7, &e7) != HERD_OK) {
        return HERD_E_SYNTAX;
    }
    return HERD_OK;
}

static int read_location(const struct json_value *v, const char *lat, const char *lng,
                         struct places_entry *p)
{
    int err = coordinate(v, lat, LAT_E7_MAX, &p->lat);

    return err != HERD_OK ? err : coordinate(v, lng, LNG_E7_MAX, &p->lng);
}

static int read_types(const struct json_value *object, struct places_entry *p)
{
    int err = json_member(object, "types", &p->types);

    if (err == HERD_E_RANGE) {
        p->types = NULL;
        return HERD_OK;
    }
    if (err != HERD_OK || !json_is_array(p->types)) {
        return HERD_E_SYNTAX;
    }
    const struct json_value *v = json_first(p->types);
    for (; v != NULL; v = json_next(v)) {
        struct span type;
        if (json_string(v, &type) != HERD_OK) {
            return HERD_E_SYNTAX;
        }
    }
    return HERD_OK;
}

static int read_legacy(const struct json_value *entry, struct places_entry *p)
{
    const struct json_value *v;
    int err = json_member(entry, "geometry", &v);

    if (err == HERD_OK) {
        err = json_member(v, "location", &v);
    }
    if (err == HERD_OK) {
        err = read_location(v, "lat", "lng", p);
    }
    if (err == HERD_OK) {
        err = places_entry_string(entry, "name", &p->name);
    }
    if (err == HERD_OK) {
        err = places_entry_string(entry, "place_id", &p->id);
    }
    return err == HERD_OK ? places_entry_string(entry, "vicinity", &p->vicinity) : err;
}

static int read_new(const struct json_value *entry, struct places_entry *p)
{
    const struct json_value *v;
    int err = json_member(entry, "displayName", &v);

    if (err == HERD_OK) {
        err = places_entry_string(v, "text", &p->name);
    }
    if (err == HERD_OK) {
        err = json_member(entry, "location", &v);
    }
    if (err == HERD_OK) {
        err = read_location(v, "latitude", "longitude", p);
    }
    if (err == HERD_OK) {
        err = places_entry_string(entry, "id", &p->id);
    }
    return err == HERD_OK ? places_entry_string(entry, "shortFormattedAddress", &p->vicinity) : err;
}

int places_entry_read(const struct json_value *entry, bool legacy, struct places_entry *p)
{
    *p = (struct places_entry){0};
    int err = legacy ? read_legacy(entry, p) : read_new(entry, p);
    if (err == HERD_OK) {
        err = read_types(entry, p);
    }
    return err == HERD_OK && p->name.bytes == 0 ? HERD_E_RANGE : err;
}

static void put_member(struct text *t, const char *name, struct span value)
{
    if (value.bytes > 0) {
        text_str(t, ",\"");
        text_str(t, name);
        text_str(t, "\":\"");
        text_json(t, value);
        text_char(t, '"');
    }
}

void places_entry_format(struct text *t, const struct places_entry *p)
{
    text_str(t, "{\"name\":\"");
    text_json(t, p->name);
    text_str(t, "\",\"geometry\":{\"location\":{\"lat\":");
    text_put(t, p->lat);
    text_str(t, ",\"lng\":");
    text_put(t, p->lng);
    text_str(t, "}}");
    put_member(t, "place_id", p->id);
    if (p->types != NULL) {
        const struct json_value *v = json_first(p->types);
        const char *separator = "";
        text_str(t, ",\"types\":[");
        for (; v != NULL; v = json_next(v)) {
            struct span type;
            if (json_string(v, &type) == HERD_OK) { /* read_types looked */
                text_str(t, separator);
                text_char(t, '"');
                text_json(t, type);
                text_char(t, '"');
                separator = ",";
            }
        }
        text_char(t, ']');
    }
    put_member(t, "vicinity", p->vicinity);
    text_char(t, '}');
}
