# Completion of herdctl for bash: source tools/completion/herdctl.bash
#
# Completes commands, options, the nodes of the herd file (the one that -c names on the line, else
# HERD_FILE, else tools/herds/bailey.conf) after --at, herd files after -c, tracks after replay and
# folders after keys.
# shellcheck shell=bash

# Reads the line as far as the cursor's word: sets `command` (empty: none yet), `words` (how many
# follow it), `herd`, and `option`, the option whose value the cursor's word is (empty: none).
_herdctl_read_line() {
    local i word
    command='' words=0 option=''
    herd=${HERD_FILE:-tools/herds/bailey.conf}
    local plain=''
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == : ]]; then
            i=$((i + 1)) # and three of ADDRESS:PORT: what was before the colon has been counted
            continue
        fi
        if [[ $word == '=' && -n $option ]]; then
            continue # bash makes three words of --at=NODE
        elif [[ -n $option ]]; then
            [[ $option == --herd ]] && herd=$word
            option=''
        elif [[ -n $plain || $word != -?* || $word == -[0-9.]* ]]; then
            if [[ -z $command ]]; then command=$word; else words=$((words + 1)); fi
        elif [[ $word == -- ]]; then
            plain=yes
        elif [[ $word == -c ]]; then
            option=--herd
        elif [[ $word == -c?* ]]; then
            herd=${word#-c}
        else
            case $word in --herd | --at | --timeout | --time | --as | --speed) option=$word ;; esac
        fi
    done
    # A ~ or quotes stand in the words as they were typed.
    herd=${herd/#\~\//$HOME/}
    herd=${herd//[\"\'\\]/}
    if [[ -n $plain ]]; then options_over=yes; else options_over=''; fi
}

# Names of the nodes that the herd file has, one a line. Only what can be a name is let through.
_herdctl_nodes() {
    [[ -f $1 && -r $1 ]] || return 0
    sed -n 's/^[[:space:]]*\[node[[:space:]]\{1,\}\([A-Za-z0-9._-]\{1,32\}\)[[:space:]]*\].*/\1/p' \
        "$1"
}

# Adds those of the further arguments that begin with what is typed.
_herdctl_offer() {
    local typed=$1 word
    shift
    for word; do
        [[ $word == "$typed"* ]] && COMPREPLY+=("$word")
    done
}

# Adds folders, and files that the pattern (as for compgen -X, what to leave out) lets through.
_herdctl_offer_files() {
    local typed=$1 leave_out=$2 file
    compopt -o filenames 2>/dev/null # escapes blanks, and puts / behind a folder
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -d -- "$typed"; compgen -f -X "$leave_out" -- "$typed" |
        while IFS= read -r file; do [[ -d ${file/#\~\//$HOME/} ]] || printf '%s\n' "$file"; done)
}

_herdctl() {
    local command words option options_over herd name
    local typed=${COMP_WORDS[COMP_CWORD]}
    local -a nodes=()
    COMPREPLY=()
    _herdctl_read_line
    [[ $typed == '=' && -n $option ]] && typed=''
    [[ $typed == : || ${COMP_WORDS[COMP_CWORD - 1]} == : ]] && return # a port

    case $option in
    --at)
        while IFS= read -r name; do nodes+=("$name"); done < <(_herdctl_nodes "$herd")
        _herdctl_offer "$typed" "${nodes[@]}"
        return
        ;;
    --herd)
        _herdctl_offer_files "$typed" '!*.conf'
        return
        ;;
    --*) return ;; # seconds, an ID, a factor: nobody but the user knows
    esac

    if [[ $typed == -* && -z $options_over ]]; then
        _herdctl_offer "$typed" --herd
        [[ $command == keys ]] || _herdctl_offer "$typed" --at --timeout
        _herdctl_offer "$typed" --json --help
        case $command in
        iamat) _herdctl_offer "$typed" --time ;;
        replay) _herdctl_offer "$typed" --as --speed --now ;;
        keys) _herdctl_offer "$typed" --rotate ;;
        esac
    elif [[ -z $command ]]; then
        _herdctl_offer "$typed" iamat whatsat replay keys
    elif [[ $command == replay && $words == 0 ]]; then
        _herdctl_offer_files "$typed" '!*.[gG][pP][xX]'
    elif [[ $command == keys && $words == 0 ]]; then
        _herdctl_offer_files "$typed" '*' # no files
    fi
}

complete -F _herdctl herdctl
