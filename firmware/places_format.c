/* Answers that need nobody. */
#include "places.h"

void places_format_empty(struct text *t)
{
    text_str(t, "{\"html_attributions\":[],\"results\":[],\"status\":\"ZERO_RESULTS\"}");
}

void places_format_failure(struct text *t, struct span status, struct span message)
{
    text_str(t, "{\"html_attributions\":[],\"results\":[],\"status\":\"");
    text_json(t, status);
    text_str(t, "\",\"error_message\":\"");
    text_json(t, message);
    text_str(t, "\"}");
}
