#include "answer.h"

#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The next field between *at and end, empty when there is none; moves past it. */
static struct answer_field next_field(const char **at, const char *end)
{
    while (*at < end && is_blank(**at)) {
        (*at)++;
    }
    struct answer_field field = {.text = *at, .bytes = 0};
    while (*at < end && !is_blank(**at)) {
        (*at)++;
        field.bytes++;
    }
    return field;
}

/* Bytes of the number of the protocol at the start of text[bytes], 0 when there is none. */
static size_t number_bytes(const char *text, size_t bytes)
{
    size_t digits = 0;
    size_t length = 0;
    bool point = false;

    for (; length < bytes; length++) {
        char byte = text[length];
        if (byte >= '0' && byte <= '9') {
            digits++;
        } else if (byte == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    return digits > 0 ? length : 0;
}

/* Takes a sign and a number off the front of *rest. */
static bool take_coordinate(struct answer_field *rest, struct answer_field *coordinate)
{
    if (rest->bytes == 0 || (rest->text[0] != '+' && rest->text[0] != '-')) {
        return false;
    }
    size_t number = number_bytes(rest->text + 1, rest->bytes - 1);
    coordinate->text = rest->text;
    coordinate->bytes = number + 1;
    rest->text += number + 1;
    rest->bytes -= number + 1;
    return number > 0;
}

bool answer_read(const char *line, size_t bytes, struct answer *answer)
{
    const char *at = line;
    const char *end = line + bytes;
    struct answer_field word = next_field(&at, end);

    if (word.text != line || word.bytes != 2 || memcmp(word.text, "AT", 2) != 0) {
        return false;
    }
    answer->server = next_field(&at, end);
    answer->difference = next_field(&at, end);
    answer->client = next_field(&at, end);
    struct answer_field location = next_field(&at, end);
    answer->time = next_field(&at, end);
    if (answer->time.bytes == 0 || next_field(&at, end).bytes > 0) {
        return false;
    }
    return take_coordinate(&location, &answer->latitude) &&
           take_coordinate(&location, &answer->longitude) && location.bytes == 0 &&
           number_bytes(answer->time.text, answer->time.bytes) == answer->time.bytes;
}
