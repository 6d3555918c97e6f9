#include "args.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_option(const char *word)
{
    if (word[0] != '-' || word[1] == '\0') {
        return false;
    }
    return !(word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

/* Finds the option that `word` names; *inline_value is what follows `=` or the letter, or NULL. */
static const struct args_option *find(const struct args_option *options, size_t option_count,
                                      const char *word, const char **inline_value)
{
    *inline_value = NULL;
    for (size_t i = 0; i < option_count; i++) {
        const struct args_option *option = &options[i];
        if (word[1] == '-') {
            size_t bytes = strlen(option->name);
            if (strncmp(word + 2, option->name, bytes) != 0) {
                continue;
            }
            if (word[2 + bytes] == '=') {
                *inline_value = word + 2 + bytes + 1;
                return option;
            }
            if (word[2 + bytes] == '\0') {
                return option;
            }
        } else if (option->letter != 0 && option->letter == word[1]) {
            *inline_value = word[2] != '\0' ? word + 2 : NULL;
            return option;
        }
    }
    return NULL;
}

static bool store_value(const struct args_option *option, const char *value)
{
    if (option->many == NULL) {
        *option->value = value;
        return true;
    }
    if (*option->many == option->many_max) {
        say_error("--%s is given more than %zu times", option->name, option->many_max);
        return false;
    }
    option->value[(*option->many)++] = value;
    return true;
}

/* Handles the option at argv[*index] and leaves *index at the last word that belongs to it. */
static bool take_option(int argc, char **argv, int *index, const struct args_option *options,
                        size_t option_count)
{
    const char *word = argv[*index];
    const char *value;
    const struct args_option *option = find(options, option_count, word, &value);

    if (option == NULL) {
        say_error("unknown option %s; --help lists what there is", word);
        return false;
    }
    if (option->value == NULL) {
        if (value != NULL) {
            say_error("option --%s takes no value", option->name);
            return false;
        }
        *option->flag = true;
        return true;
    }
    if (value == NULL) {
        if (*index + 1 >= argc) {
            say_error("option --%s needs a value after it", option->name);
            return false;
        }
        value = argv[++*index];
    }
    return store_value(option, value);
}

int args_sort(int argc, char **argv, const struct args_option *options, size_t option_count,
              const char **words, size_t words_max)
{
    size_t count = 0;
    bool options_over = false;

    for (int i = 1; i < argc; i++) {
        if (!options_over && strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (!options_over && is_option(argv[i])) {
            if (!take_option(argc, argv, &i, options, option_count)) {
                return -1;
            }
        } else if (count == words_max) {
            say_error("one argument too many: %s; --help shows what is expected", argv[i]);
            return -1;
        } else {
            words[count++] = argv[i];
        }
    }
    return (int)count;
}

bool args_number(const char *what, const char *text, long low, long high, long *number)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < low || value > high) {
        say_error("%s is '%s'; it takes a whole number from %ld to %ld", what, text, low, high);
        return false;
    }
    *number = value;
    return true;
}
