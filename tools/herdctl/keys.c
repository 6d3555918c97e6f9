/* herdctl keys: the keys of a herd's links, a file for each node. */
#include "herdctl.h"
#include "linkfile.h"
#include "linkkeys.h"
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* "Bailey Bona", of the nodes whose files changed. */
static void put_names(const struct herdfile *herd, const struct linkkeys_change *change, char *text,
                      size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < change->written_count && used < bytes; i++) {
        int wrote = snprintf(text + used, bytes - used, "%s%s", i > 0 ? " " : "",
                             herd->nodes[change->written[i]].name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void report(const struct linkkeys_change *change, const char *directory, const char *names)
{
    const char *what = change->finished            ? "finished"
                       : change->rotated           ? "rotated"
                       : change->written_count > 0 ? "written"
                                                   : "unchanged";

    report_add_text("directory", directory, strlen(directory));
    report_add_text("result", what, strlen(what));
    report_add_count("number", change->number);
    report_add_count("links", change->links);
    report_add_count("added", change->added);
    report_add_count("dropped", change->dropped);
    report_add_count("files", change->written_count);
    report_add_text("written", names, strlen(names));
}

static void print(const struct linkkeys_change *change, const char *directory, const char *names)
{
    if (change->links == 0) {
        printf("%s: this herd has no links, and needs no keys\n", directory);
    } else if (change->written_count == 0) {
        printf("%s: nothing to do: all %zu links have key %u, next %u\n", directory, change->links,
               change->number, linkfile_after(change->number));
    } else {
        printf("%s: %s%zu links have key %u, next %u; %zu added, %zu dropped\n", directory,
               change->finished  ? "the rotation that was interrupted is finished: "
               : change->rotated ? "rotated: "
                                 : "",
               change->links, change->number, linkfile_after(change->number), change->added,
               change->dropped);
        printf("new files for: %s\n", names);
        printf("give each node its own, and no other%s\n",
               change->rotated ? ", one after another (herdctl keys --help)" : "");
    }
}

enum herdctl_exit command_keys(const struct herdfile *herd, const char *directory, bool rotate)
{
    static const struct rlimit no_core = {0, 0};
    struct linkkeys_change change;
    char names[HERDFILE_NODES_MAX * HERDFILE_NAME_BYTES];

    (void)setrlimit(RLIMIT_CORE, &no_core); /* keys are in memory */
    switch (linkkeys_update(herd, directory, rotate, &change)) {
    case LINKKEYS_WRONG:
        return HERDCTL_USAGE;
    case LINKKEYS_FAILED:
        return HERDCTL_LOCAL;
    default:
        break;
    }
    put_names(herd, &change, names, sizeof names);
    if (report_is_json()) {
        report(&change, directory, names);
    } else {
        print(&change, directory, names);
    }
    return HERDCTL_OK;
}
