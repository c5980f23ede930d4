#!/bin/bash
# The same names as in the job; a step that fails ends this with its exit code.
export MANTIK_WORKING_DIRECTORY="${UC_WORKING_DIRECTORY:-${MANTIK_WORKING_DIRECTORY:-$PWD}}"
export UC_WORKING_DIRECTORY="$MANTIK_WORKING_DIRECTORY"
builtin cd -- "$MANTIK_WORKING_DIRECTORY" || exit
_mantik_begin() {
    _mantik_step=$1
    set -eo pipefail
}
_mantik_end() {
    [[ $1 == 0 ]] || exit "$1"
}
_mantik_report() {
    [[ $1 == 0 ]] || printf 'mantik: step "%s" failed with exit code %s\n' "$_mantik_step" "$1" >&2
}
trap '_mantik_report "$?"' EXIT
export OMP_NUM_THREADS=12
eval 'HOSTS="$(scontrol show hostnames)"'
export HOSTS

_mantik_begin 'PostRunCommandOnLoginNode 1'
eval 'cp -r results $HOME'
_mantik_end "$?"

_mantik_begin 'PostRunCommandOnLoginNode 2'
eval 'date > done'
_mantik_end "$?"
