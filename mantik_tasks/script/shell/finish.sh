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
