#include "herdctl.h"

#include <stdio.h>
#include <string.h>

static const char general[] =
    "herdctl: talk to a herd of location servers\n"
    "\n"
    "  herdctl [options] iamat ID LAT LON [--time SECONDS]   report where a device is\n"
    "  herdctl [options] whatsat ID KM N                     ask what is near a device\n"
    "  herdctl [options] replay TRACK.gpx --as ID [--speed X] [--now]\n"
    "                                                        report a recorded track\n"
    "\n"
    "  -c, --herd FILE     herd file that says where the nodes are; else the environment's\n"
    "                      HERD_FILE, else tools/herds/bailey.conf\n"
    "      --at NODE       node to talk to, by its name in the herd file (the first one if not\n"
    "                      given), or ADDRESS:PORT, which needs no herd file\n"
    "      --timeout S     seconds to wait for the connection and for each answer (15)\n"
    "      --json          answer with one JSON object on stdout, for scripts (see below)\n"
    "  -h, --help          this text; `herdctl COMMAND --help` tells more and gives examples\n"
    "      --              what follows is no option (for an ID that begins with -)\n"
    "\n"
    "Answers go to stdout; progress and errors go to stderr.\n"
    "\n"
    "Exit status:\n"
    "  0  every command was answered (an answer whose places status is an error is an answer)\n"
    "  1  the node refused a command with `?`, or what answered is no node of herd\n"
    "  2  arguments, herd file or track cannot be used\n"
    "  3  no connection, connection lost, or no answer in time\n"
    "  4  this machine: the answer cannot be written to stdout, or memory is out\n"
    "A signal ends it as it ends every program (a shell shows 130 after Ctrl-C).\n"
    "\n"
    "With --json every run prints exactly one object, whatever happens:\n"
    "  exit    the exit status, in every object\n"
    "  error   when it is not 0: what stderr says too, without `herdctl: `, lines joined by \\n\n"
    "  answer  when a command was refused: the line that came instead of an answer\n"
    "and the fields of the command, which `herdctl COMMAND --help` lists. Bytes that are no UTF-8\n"
    "become U+FFFD; without --json they are printed as they came.\n"
    "\n"
    "  herdctl iamat kiwi.cs.ucla.edu 34.068930 -118.445127\n"
    "  herdctl whatsat kiwi.cs.ucla.edu 10 5 --at Clark\n"
    "  herdctl replay walk.gpx --as walker --speed 60\n"
    "  herdctl --json whatsat kiwi.cs.ucla.edu 10 5 | jq -r '.places.results[].name'\n"
    "\n"
    "Completion for bash: source tools/completion/herdctl.bash\n";

static const char iamat[] =
    "herdctl [options] iamat ID LAT LON [--at NODE] [--time SECONDS]\n"
    "\n"
    "Reports that device ID is at LAT LON and prints the node's answer.\n"
    "ID is any text without white space. LAT and LON are decimal degrees, - for south and west;\n"
    "their digits are sent exactly as written. SECONDS since 1970, decimals allowed; without it\n"
    "the time is now. A report that is not newer than what the herd knows changes nothing.\n"
    "\n"
    "  herdctl iamat kiwi.cs.ucla.edu 34.068930 -118.445127\n"
    "  herdctl iamat kiwi.cs.ucla.edu 34.068930 -118.445127 --at Clark\n"
    "  herdctl iamat kiwi.cs.ucla.edu +34.068930 -118.445127 --time 1621464827.959498503\n"
    "  herdctl --at 127.0.0.1:10000 iamat bus-7 45.4636 14.1013\n"
    "\n"
    "With --json, all texts with the bytes of the AT line:\n"
    "  server                the node that the device talked to\n"
    "  difference            its time minus the client's, seconds such as \"+0.263873386\"\n"
    "  client                ID\n"
    "  latitude, longitude   decimal degrees with their signs, such as \"-118.445127\"\n"
    "  time                  seconds since 1970, as they were sent\n"
    "\n"
    "  herdctl --json iamat kiwi.cs.ucla.edu 34.068930 -118.445127 | jq -r .difference\n";

static const char whatsat[] =
    "herdctl [options] whatsat ID KM N [--at NODE]\n"
    "\n"
    "Prints the newest report known of device ID (the AT line), then JSON with at most N places\n"
    "within KM kilometres of it. KM is 0 to 50, decimals allowed; N is 0 to 20.\n"
    "\n"
    "  herdctl whatsat kiwi.cs.ucla.edu 10 5\n"
    "  herdctl whatsat kiwi.cs.ucla.edu 0.5 20 --at Jaquez\n"
    "  herdctl whatsat kiwi.cs.ucla.edu 10 5 | tail -n +2 | python3 -m json.tool\n"
    "\n"
    "With --json: server, difference, client, latitude, longitude and time as for iamat, and\n"
    "  places   the node's JSON as it is, with html_attributions, results and status, and\n"
    "           error_message where the places could not be asked for (exit status 0: the node\n"
    "           answered)\n"
    "\n"
    "  herdctl --json whatsat kiwi.cs.ucla.edu 10 5 | jq -r .places.status\n";

static const char replay[] =
    "herdctl [options] replay TRACK.gpx --as ID [--at NODE] [--speed X] [--now]\n"
    "\n"
    "Reports the track points (trkpt) of a GPX file, in the order of the file, as device ID.\n"
    "Points without a time are counted and skipped; route points and waypoints are no recorded\n"
    "positions and are not sent. Coordinates and seconds keep the digits of the file.\n"
    "\n"
    "Without options every point has its recorded time, and goes out as fast as the node answers.\n"
    "  --speed X  keeps the pace of the recording, X times as fast (1 is real time, 0.5 half)\n"
    "  --now      stamps the first point with the time at which it is sent, and the others at\n"
    "             their recorded distance from it, divided by X where --speed is given, so that\n"
    "             each is stamped with the moment it goes out. Without --speed all stamps but\n"
    "             the first lie ahead of the clock: nodes then order them by arrival once they\n"
    "             are more than skew_max (herd file) ahead.\n"
    "\n"
    "At the end one line counts what was sent, answered and skipped, and the last answer follows.\n"
    "\n"
    "  herdctl replay walk.gpx --as walker\n"
    "  herdctl replay walk.gpx --as walker --at Clark --speed 60 --now\n"
    "\n"
    "With --json one object at the end, also when the connection is lost on the way:\n"
    "  sent, answered, refused   reports\n"
    "  without_time, unusable_position, unusable_time   points skipped\n"
    "  seconds                   how long it took\n"
    "  last                      the last answer, an object with the fields of iamat, or null\n"
    "When no connection was made at all there are only error and exit.\n"
    "\n"
    "  herdctl --json replay walk.gpx --as walker | jq .answered\n";

void help_print(const char *command)
{
    static const struct {
        const char *command;
        const char *text;
    } pages[] = {{"iamat", iamat}, {"whatsat", whatsat}, {"replay", replay}};

    for (size_t i = 0; command != NULL && i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(command, pages[i].command) == 0) {
            (void)fputs(pages[i].text, stdout);
            return;
        }
    }
    (void)fputs(general, stdout);
}
