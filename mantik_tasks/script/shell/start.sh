
# ---- The run directory and the job's id.
set +aeuvx
for _mantik_directory in "${_mantik_directories[@]}" ''; do
    [[ $_mantik_directory == /* && -d $_mantik_directory/.mantik ]] && break
done
if [[ -z $_mantik_directory || -z $_mantik_job_id ]] || ! builtin cd -- "$_mantik_directory"; then
    printf 'mantik: no job id (%s) or no run directory; looked for .mantik in:%s\n' \
        "$_mantik_job_id" "$(printf ' %q' "${_mantik_directories[@]}")" >&2
    exit 96
fi
_mantik_private=$_mantik_directory/.mantik
export MANTIK_JOB_ID="$_mantik_job_id"
export MANTIK_WORKING_DIRECTORY="$_mantik_directory" UC_WORKING_DIRECTORY="$_mantik_directory"

# ---- The guard: one job for this run directory, before anything in it is touched. A rename is
# atomic, and the guard is never there without the id of its job. The same id is a requeue.
if ! {
    _mantik_claim=$(command mktemp -d "$_mantik_private/guard.XXXXXXXX") &&
        printf '%s\n' "$_mantik_job_id" >|"$_mantik_claim/job-id" &&
        command mv -fT -- "$_mantik_claim" "$_mantik_private/guard" 2>/dev/null
}; then
    [[ -n $_mantik_claim ]] && command rm -rf -- "$_mantik_claim"
    if [[ ! -e $_mantik_private/guard ]]; then
        printf 'mantik: %s can not be written to\n' "$_mantik_private" >&2
        exit 96
    fi
    _mantik_owner=
    IFS= read -r _mantik_owner <"$_mantik_private/guard/job-id"
    if [[ $_mantik_owner != "$_mantik_job_id" ]]; then
        printf 'mantik: this run belongs to job %s; job %s ends without doing anything\n' \
            "$_mantik_owner" "$_mantik_job_id" >&2
        exit 97
    fi
fi

# ---- The log, and the steps as they begin.
exec >>"$_mantik_directory/mantik.log" 2>&1 </dev/null
printf -v _mantik_started_at '%(%s)T' -1
command rm -f -- "$_mantik_private/result.json"
: >|"$_mantik_private/steps"

# What follows a step's beginning ends the job if it fails, a line in its middle included.
_mantik_begin() {
    builtin printf '%s\n' "$1" >>"$_mantik_private/steps"
    set -eo pipefail
}

# For commands that switch that off, and for those that run better without it.
_mantik_end() {
    if [[ $1 != 0 ]]; then
        builtin printf 'exit %s\n' "$1" >>"$_mantik_private/steps"
        exit "$1"
    fi
}

# Export the private variables; no command ever has their values among its arguments.
_mantik_export_private() {
    local _mantik_record
    [[ -e $_mantik_private/environment ]] || return 0
    while IFS= read -r -d '' _mantik_record || [[ -n $_mantik_record ]]; do
        # export would print a record that it refuses.
        if [[ $_mantik_record =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then
            export "$_mantik_record"
        fi
    done <"$_mantik_private/environment"
    # A job that is started again needs them again.
    [[ $_mantik_requeue == yes ]] || command rm -f -- "$_mantik_private/environment"
}

# ---- The steps share a shell of their own: whatever they do to it, what follows them stays right.
# Bash reports a killed shell with its whole text, so this shell is silent meanwhile.
exec 3>&2 2>/dev/null
(
exec 2>&3 3>&-
_mantik_begin 'private variables'
_mantik_export_private
