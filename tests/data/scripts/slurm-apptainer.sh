#!/bin/bash -l
#SBATCH --account=hpc-project
#SBATCH --partition=gpu
#SBATCH --time=1-02:03:04
#SBATCH --nodes=2
#SBATCH --ntasks=8
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=12
#SBATCH --gpus-per-node=4
#SBATCH --mem=10240M
#SBATCH --constraint=a100&nvme
#SBATCH "--reservation=course 2025"
#SBATCH --qos=normal
#SBATCH --exclusive
#SBATCH --requeue
#SBATCH "--comment=it's \"mine\""
#SBATCH --output=slurm-%j.out
#SBATCH --open-mode=append
_mantik_job_id=${SLURM_JOB_ID:-}
_mantik_directories=("$PWD" "${OLDPWD:-}" "${SLURM_SUBMIT_DIR:-}")
_mantik_requeue=yes

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

_mantik_begin 'Variables: OMP_NUM_THREADS'
export OMP_NUM_THREADS=12

_mantik_begin 'Variables: HOSTS'
eval 'HOSTS="$(scontrol show hostnames)"'
export HOSTS
export SRUN_CPUS_PER_TASK="${SRUN_CPUS_PER_TASK:-12}"

_mantik_begin 'Modules: Stages/2025 CUDA'
set +e
for _mantik_file in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" \
    /etc/profile.d/{modules,lmod,z00_lmod,00-modulepath}.sh /usr/share/{lmod/lmod,modules}/init/bash; do
    type module >/dev/null 2>&1 && break
    [[ -r $_mantik_file ]] && source "$_mantik_file"
done
module load Stages/2025 CUDA
_mantik_end "$?"

_mantik_begin 'PreRunCommandOnComputeNode 1'
eval nvidia-smi
_mantik_end "$?"

_mantik_begin 'PreRunCommandOnComputeNode 2'
eval 'ulimit -n 4096'
_mantik_end "$?"

_mantik_begin main
builtin cd -- "$_mantik_directory"
export MANTIK_WORKING_DIRECTORY="$_mantik_directory" UC_WORKING_DIRECTORY="$_mantik_directory"
set +e
eval 'srun apptainer run --bind "$MANTIK_WORKING_DIRECTORY" --nv -B "$SCRATCH/in:/in" "$MANTIK_WORKING_DIRECTORY"/images/torch.sif python train.py --alpha 0.5 --name '"'"'a b'"'"''
_mantik_end "$?"

_mantik_begin 'PostRunCommandOnComputeNode 1'
eval 'rm -rf cache'
_mantik_end "$?"
_mantik_begin 'EXIT trap'
)
_mantik_code=$?
exec 2>&3 3>&-

# A scheduler that ends a job signals one process after the other. If it is that, our own signal
# arrives now, and accounting tells why the job ended.
((_mantik_code > 128)) && command sleep 2

# ---- How far the steps came.
_mantik_step=start
_mantik_main_done=no
while IFS= read -r _mantik_line; do
    if [[ $_mantik_line == 'exit '* ]]; then
        _mantik_code=${_mantik_line#exit }
    else
        [[ $_mantik_step == main ]] && _mantik_main_done=yes
        _mantik_step=$_mantik_line
    fi
done <"$_mantik_private/steps"
if [[ $_mantik_code == 0 && $_mantik_main_done == no ]]; then
    printf 'mantik: step "%s" ended the job before the entry point was done\n' "$_mantik_step" >&2
    _mantik_code=1
fi
if [[ $_mantik_code == 0 ]]; then
    _mantik_step=main
else
    printf 'mantik: step "%s" failed with exit code %s\n' "$_mantik_step" "$_mantik_code" >&2
fi
command rm -f -- "$_mantik_private/environment"

# ---- The result, whole or not at all. cat fails on a full disk, also where that shows at the end.
_mantik_text() {
    local LC_ALL=C
    printf '%s' "${1//[^A-Za-z0-9._:,\/@+=()\$~ -]/?}"
}
printf -v _mantik_ended_at '%(%s)T' -1
if printf '{"exit_code": %d, "step": "%s", "started_at": %d, "ended_at": %d, "host": "%s", "job_id": "%s"}\n' \
    "$_mantik_code" "$(_mantik_text "$_mantik_step")" "$_mantik_started_at" "$_mantik_ended_at" \
    "$(_mantik_text "$HOSTNAME")" "$(_mantik_text "$_mantik_job_id")" |
    command cat >|"$_mantik_private/result.json.tmp"; then
    command mv -fT -- "$_mantik_private/result.json.tmp" "$_mantik_private/result.json"
else
    command rm -f -- "$_mantik_private/result.json.tmp"
    printf 'mantik: the result could not be written\n' >&2
fi
exit "$_mantik_code"
