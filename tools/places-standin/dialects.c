#include "dialects.h"

#include <string.h>

#define NEW_PATH    "/v1/places:searchNearby"
#define LEGACY_PATH "/maps/api/place/nearbysearch/json"

void dialects_write_error(struct reply *reply, int status, const char *code, const char *message,
                          const char *reason)
{
    struct buf *body = &reply->body;
    buf_free(body);
    reply->status = status;
    reply->content_type = "application/json; charset=UTF-8";
    buf_printf(body, "{\n  \"error\": {\n    \"code\": %d,\n    \"message\": ", status);
    buf_add_json_string(body, message);
    buf_printf(body, ",\n    \"status\": \"%s\"", code);
    if (reason != NULL) {
        buf_add_str(body, ",\n    \"details\": [\n      {\n        \"@type\": "
                          "\"type.googleapis.com/google.rpc.ErrorInfo\",\n");
        buf_printf(body, "        \"reason\": \"%s\",\n", reason);
        buf_add_str(body, "        \"domain\": \"googleapis.com\",\n        \"metadata\": {\n"
                          "          \"service\": \"places.googleapis.com\"\n        }\n"
                          "      }\n    ]");
    }
    buf_add_str(body, "\n  }\n}\n");
}

void dialects_write_legacy_status(struct reply *reply, const char *status, const char *message)
{
    struct buf *body = &reply->body;
    buf_free(body);
    reply->status = 200;
    reply->content_type = "application/json; charset=UTF-8";
    buf_add_str(body, "{\n");
    if (message != NULL) {
        buf_add_str(body, "   \"error_message\": ");
        buf_add_json_string(body, message);
        buf_add_str(body, ",\n");
    }
    buf_printf(body,
               "   \"html_attributions\": [],\n   \"results\": [],\n   \"status\": \"%s\"\n}\n",
               status);
}

static bool path_is(const char *target, const char *path)
{
    size_t len = strlen(path);
    return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '?');
}

struct dialects_result dialects_answer(const struct dialects_config *config,
                                       const struct http_request *request, struct reply *reply)
{
    struct dialects_result result = {DIALECT_NONE, false};

    if (path_is(request->target, NEW_PATH) && strcmp(request->method, "POST") == 0) {
        result.dialect = reply->dialect = DIALECT_NEW;
        dialect_new_answer(config, request, reply, &result.bad_key);
    } else if (path_is(request->target, LEGACY_PATH) && strcmp(request->method, "GET") == 0) {
        result.dialect = reply->dialect = DIALECT_LEGACY;
        dialect_legacy_answer(config, request, reply, &result.bad_key);
    } else {
        dialects_write_error(reply, 404, "NOT_FOUND",
                             "The stand-in knows POST " NEW_PATH " and GET " LEGACY_PATH " only.",
                             NULL);
    }
    return result;
}
