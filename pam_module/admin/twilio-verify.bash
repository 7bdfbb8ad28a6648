# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
#
# Completes the words of twilio-verify(8) in bash; verbs and options are what --help says.

_twilio_verify()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb='' help i
    COMPREPLY=()

    case $previous in
    --settings | --api-key-file | --sshd-config | --sudoers | --module | --helper)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --pam-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --service)
        mapfile -t COMPREPLY < <(cd /etc/pam.d && compgen -f -- "$current")
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

    # shellcheck disable=SC2086
    help=$(twilio-verify $verb --help 2>/dev/null)
    # An option that takes something else than a path.
    [[ $previous == --* && $'\n'$help == *$'\n'"  $previous "[A-Z]* ]] && return

    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${verb:+--help} $(
            sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help")" -- "$current")
    elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(
            sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' <<<"$help")" -- "$current")
    elif [[ $verb == check-pam ]]; then
        mapfile -t COMPREPLY < <(cd /etc/pam.d && compgen -f -- "$current")
    elif [[ $verb != list ]]; then
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
    fi
}
complete -F _twilio_verify twilio-verify
