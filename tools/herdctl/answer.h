/* The AT line that answers a report or a question, taken apart. */
#ifndef HERDCTL_ANSWER_H
#define HERDCTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct answer_field {
    const char *text; /* within the line, not terminated */
    size_t bytes;
};

struct answer {
    struct answer_field server;
    struct answer_field difference; /* any text: older servers write floats in their own ways */
    struct answer_field client;
    struct answer_field latitude; /* sign and number */
    struct answer_field longitude;
    struct answer_field time;
};

/*
 * Takes line[bytes] (without its newline) apart. Returns false, with *answer undefined, when it is
 * no AT line: six fields, of which the location is two signed numbers and the time is a number.
 * On success *answer points into `line`.
 */
bool answer_read(const char *line, size_t bytes, struct answer *answer);

#endif
