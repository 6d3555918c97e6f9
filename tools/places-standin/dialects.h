/* The two Google APIs: what they take, what they answer, how they refuse. */
#ifndef STANDIN_DIALECTS_H
#define STANDIN_DIALECTS_H

#include "http.h"

enum key_scope { KEY_FOR_BOTH, KEY_FOR_NEW, KEY_FOR_LEGACY };

struct dialects_config {
    const char *key;        /* the one key that is taken */
    enum key_scope scope;   /* which API it is enabled for */
    struct buf legacy_file; /* served for each good legacy request; empty: places are searched */
};

struct dialects_result {
    enum dialect dialect;
    bool bad_key; /* the key was missing, wrong, or for the other API */
};

/* Answers one request; fills reply's status, content type, dialect and body. */
struct dialects_result dialects_answer(const struct dialects_config *config,
                                       const struct http_request *request, struct reply *reply);

/* The shape of errors of the APIs, {"error":{"code":..,"message":..,"status":..}}. reason: for the
 * "details" that some errors carry, NULL for none. */
void dialects_write_error(struct reply *reply, int status, const char *code, const char *message,
                          const char *reason);

/* A legacy answer without results; message NULL: without error_message. */
void dialects_write_legacy_status(struct reply *reply, const char *status, const char *message);

/* Places API (New). */
void dialect_new_answer(const struct dialects_config *config, const struct http_request *request,
                        struct reply *reply, bool *bad_key);

/* Legacy Nearby Search. */
void dialect_legacy_answer(const struct dialects_config *config, const struct http_request *request,
                           struct reply *reply, bool *bad_key);

#endif
