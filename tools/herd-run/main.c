/* herd-run: checks what can be checked, then runs the herd. */
#include "check.h"
#include "herd.h"
#include "herdfile.h"
#include "options.h"
#include "rundir.h"
#include "say.h"
#include "tapnet.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct options options;
    static struct herdfile herd;
    static struct tapnet tapnet;

    say_set_program("herd-run");
    if (!options_read(argc, argv, &options)) {
        return 2;
    }
    if (options.help) {
        options_help();
        return 0;
    }
    if (!herdfile_read(options.herd_file, &herd)) {
        return 2;
    }
    bool standin = !herd.places_none && !herd.places_key_file && options.places_key_file == NULL;
    if (!check_programs(&options, standin) || !herd_check_file(&options, &herd)) {
        return 2;
    }
    bool on_tap = strcmp(options.net, "tap") == 0;
    if (on_tap && !tapnet_check(&herd, options.herd_file, &tapnet)) {
        return 2;
    }
    if (!rundir_take(options.run_dir)) {
        return 1;
    }
    int exit_code = 1;
    if (check_ports(&options, &herd)) {
        if (options.standin_port == 0 && standin) {
            options.standin_port = check_free_port(&options, &herd);
        }
        bool ports = options.standin_port != 0 || !standin;
        if (ports && (!on_tap || tapnet_make(&herd, &tapnet))) {
            exit_code = herd_run(&options, &herd, standin, on_tap ? &tapnet : NULL);
        }
    }
    rundir_release();
    return exit_code;
}
