# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
#
# Completes the words of twilio-verify(8) in bash; verbs and options are what --help says.

# Names of the disk and of the user database must not be evaluated. bash puts what it gets into the
# line as it stands, so they are quoted. "compgen -W" would expand them.

# Adds the lines of standard input that begin with CURRENT, quoted for the shell.
_twilio_verify_add()
{
    local current=$1 line quoted
    while IFS= read -r line; do
        if [[ $line == "$current"* ]]; then
            printf -v quoted %q "$line"
            COMPREPLY+=("$quoted")
        fi
    done
}

# Paths: bash quotes them, and adds the slash of a directory. Called by hand there is no completion.
_twilio_verify_paths()
{
    compopt -o filenames 2>/dev/null || true
    mapfile -t COMPREPLY < <(compgen "$@")
}

_twilio_verify_services()
{
    _twilio_verify_add "$1" < <(
        for directory in /etc/pam.d /usr/lib/pam.d; do
            builtin cd -- "$directory" 2>/dev/null && compgen -f -- "$1"
        done | sort -u)
}

_twilio_verify()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb='' help i
    COMPREPLY=()

    case $previous in
    --settings | --api-key-file | --import | --sshd-config | --sudoers | --module | --helper)
        _twilio_verify_paths -f -- "$current"
        return
        ;;
    --pam-dir)
        _twilio_verify_paths -d -- "$current"
        return
        ;;
    --first-factor)
        _twilio_verify_add "$current" < <(printf '%s\n' password key)
        return
        ;;
    --service)
        _twilio_verify_services "$current"
        return
        ;;
    esac

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --settings) i=$((i + 1)) ;;
        -*) ;;
        *) verb=${COMP_WORDS[i]} && break ;;
        esac
    done

    help=$(twilio-verify ${verb:+"$verb"} --help 2>/dev/null)
    # An option that takes something else than a path.
    [[ $previous == --* && $'\n'$help == *$'\n'"  $previous "[A-Z]* ]] && return

    if [[ $current == -* ]]; then
        _twilio_verify_add "$current" < <(
            [[ -z $verb ]] || echo --help
            sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help")
    elif [[ -z $verb ]]; then
        _twilio_verify_add "$current" < <(sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' <<<"$help")
    elif [[ $verb == check-pam || $verb == enable || $verb == disable ]]; then
        _twilio_verify_services "$current"
    elif [[ $verb != list && $verb != setup && $verb != status ]]; then
        _twilio_verify_add "$current" < <(compgen -u -- "$current")
    fi
}
complete -F _twilio_verify twilio-verify
