/* The client protocol; proto.h has the contracts, PROTOCOL.md the rules. */
#include "proto.h"

#include "when.h"

#define FIELDS_MAX 4 /* of any command */

/* What is above the space is none: one comparison for most bytes. */
static bool is_space(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || (c >= '\t' && c <= '\r'));
}

bool proto_is_space(char c)
{
    return is_space(c);
}

struct span proto_take_field(struct span *rest)
{
    if (rest->bytes == 0) { /* at may be null, to which nothing may be added */
        return *rest;
    }
    const char *at = rest->at;
    const char *end = at + rest->bytes;
    while (at < end && is_space(*at)) {
        at++;
    }
    const char *field = at;
    while (at < end && ((unsigned char)*at > ' ' || !is_space(*at))) {
        at++;
    }
    *rest = (struct span){at, (size_t)(end - at)};
    return (struct span){field, (size_t)(at - field)};
}

/* Control bytes include every white space but the space. Bytes from 0x80 on are opaque. */
static bool is_client(struct span s)
{
    const char *end = s.at + s.bytes;

    for (const char *at = s.at; at < end; at++) {
        unsigned byte = (unsigned char)*at;

        if (byte <= 0x20 || byte == 0x7F) {
            return false;
        }
    }
    return s.bytes > 0;
}

int proto_parse_report(const struct span fields[3], size_t report_bytes, struct proto_report *out)
{
    struct geo_point point; /* only checked: a record keeps the text */
    int64_t stamp_ns;

    if (!is_client(fields[0]) || geo_parse(fields[1], &point) != HERD_OK ||
        when_parse(fields[2], &stamp_ns) != HERD_OK) {
        return HERD_E_SYNTAX;
    }
    if (fields[0].bytes + fields[1].bytes + fields[2].bytes > report_bytes) {
        return HERD_E_RANGE;
    }
    *out = (struct proto_report){fields[0], fields[1], fields[2], stamp_ns};
    return HERD_OK;
}

static bool parse_whatsat(const struct span fields[3], struct proto_whatsat *out)
{
    uint64_t radius_mm;
    uint64_t bound;
    bool beyond;

    if (!is_client(fields[0]) ||
        text_parse_fixed(fields[1], 6, PROTO_RADIUS_MM_MAX, &radius_mm, &beyond) != HERD_OK ||
        (radius_mm == PROTO_RADIUS_MM_MAX && beyond) ||
        !text_parse_u64(fields[2], PROTO_BOUND_MAX, &bound)) {
        return false;
    }
    *out = (struct proto_whatsat){fields[0], (uint32_t)radius_mm, (uint32_t)bound};
    return true;
}

void proto_parse(struct span line, size_t report_bytes, struct proto_command *out)
{
    struct span fields[FIELDS_MAX];
    size_t count = 0;
    struct span rest = line;
    struct span field = proto_take_field(&rest);

    while (field.bytes > 0 && count < FIELDS_MAX) {
        fields[count++] = field;
        field = proto_take_field(&rest);
    }
    out->kind = PROTO_INVALID;
    if (count == 0) {
        out->kind = PROTO_BLANK;
    } else if (count < FIELDS_MAX || field.bytes > 0) {
        return;
    } else if (span_equal(fields[0], SPAN_LIT("IAMAT"))) {
        if (proto_parse_report(&fields[1], report_bytes, &out->iamat) == HERD_OK) {
            out->kind = PROTO_IAMAT;
        }
    } else if (span_equal(fields[0], SPAN_LIT("WHATSAT"))) {
        if (parse_whatsat(&fields[1], &out->whatsat)) {
            out->kind = PROTO_WHATSAT;
        }
    }
}

void proto_format_at(struct text *t, struct span server, int64_t difference_ns,
                     const struct proto_report *report)
{
    text_str(t, "AT ");
    text_put(t, server);
    text_char(t, ' ');
    when_format_difference(t, difference_ns);
    text_char(t, ' ');
    text_put(t, report->client);
    text_char(t, ' ');
    text_put(t, report->location);
    text_char(t, ' ');
    text_put(t, report->stamp);
}

/* Exactly `count` fields with one space between them, and nothing else. */
static bool split_strictly(struct span line, struct span *fields, size_t count)
{
    size_t field = 0;
    size_t begin = 0;

    for (size_t i = 0; i <= line.bytes; i++) {
        if (i < line.bytes && line.at[i] != ' ') {
            continue;
        }
        if (i == begin || field == count) {
            return false;
        }
        fields[field++] = (struct span){line.at + begin, i - begin};
        begin = i + 1;
    }
    return field == count;
}

int proto_parse_at(struct span line, size_t report_bytes, struct span *server,
                   int64_t *difference_ns, struct proto_report *report)
{
    struct span fields[6];
    struct proto_report found;
    int64_t difference;

    if (!split_strictly(line, fields, 6) || !span_equal(fields[0], SPAN_LIT("AT")) ||
        !proto_is_server_name(fields[1]) ||
        when_parse_difference(fields[2], &difference) != HERD_OK) {
        return HERD_E_SYNTAX;
    }
    int err = proto_parse_report(&fields[3], report_bytes, &found);
    if (err != HERD_OK) {
        return err;
    }
    *server = fields[1];
    *difference_ns = difference;
    *report = found;
    return HERD_OK;
}

bool proto_is_server_name(struct span s)
{
    for (size_t i = 0; i < s.bytes; i++) {
        char c = s.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return s.bytes >= 1 && s.bytes <= PROTO_SERVER_BYTES_MAX;
}
