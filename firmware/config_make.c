/* A configuration while it is made; config_make.h has the contracts. */
#include "config_make.h"

#define KEY_SHOWN_BYTES_MAX 40 /* in an error */

struct config_make config_make;

struct text *config_make_fault(struct config_place at)
{
    struct text *t = config_make.error;
    config_make.failed = true;
    t->bytes = 0;
    t->cut = false;
    if (at.is_override) {
        text_str(t, "setting ");
        if (at.key.bytes > 0) {
            text_str(t, config_keys_section_name(at.section));
            text_char(t, '.');
            text_escaped(t, at.key, KEY_SHOWN_BYTES_MAX);
            text_str(t, ": ");
        }
        return t;
    }
    text_put(t, config_make.file);
    if (at.line > 0) {
        text_char(t, ':');
        text_u64(t, at.line);
    }
    text_str(t, ": ");
    if (at.section != SEC_NONE) {
        text_char(t, '[');
        text_str(t, config_keys_section_name(at.section));
        if (at.node.bytes > 0) {
            text_char(t, ' ');
            text_put(t, at.node);
        }
        text_char(t, ']');
        if (at.key.bytes > 0) {
            text_char(t, ' ');
            text_escaped(t, at.key, KEY_SHOWN_BYTES_MAX);
        }
        text_str(t, ": ");
    }
    return t;
}

void config_make_fail_twice(struct config_place at, unsigned first_line)
{
    struct text *t = config_make_fault(at);
    text_str(t, "given twice; first on line ");
    text_u64(t, first_line);
}

void config_make_put_node_names(struct text *t, bool with_open)
{
    const char *separator = "";
    for (unsigned i = 0; i < config_make.config->node_count; i++) {
        if (with_open || !config_make.config->nodes[i].open) {
            text_str(t, separator);
            text_str(t, config_make.config->nodes[i].name);
            separator = ", ";
        }
    }
}

unsigned config_make_find_node(struct span name)
{
    unsigned i = 0;
    while (i < config_make.config->node_count &&
           !span_equal(name, span_of(config_make.config->nodes[i].name))) {
        i++;
    }
    return i;
}

bool config_make_fail_unknown_node(struct config_place at, struct span name)
{
    struct text *t = config_make_fault(at);
    config_keys_put_is_not(t, name, "a node of this herd; use ");
    config_make_put_node_names(t, at.section == SEC_LINKS);
    return false;
}

uint16_t config_make_short_line(unsigned line)
{
    return line < UINT16_MAX ? (uint16_t)line : UINT16_MAX;
}
