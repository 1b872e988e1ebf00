# Completion of snapshot-status for bash: source <(snapshot-status completion bash)
_snapshot_status() {
    local words suggestions current=${COMP_WORDS[COMP_CWORD]}
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
    # bash also breaks words at = and :, and replaces what stands after them.
    [[ $current == [=:] ]] && current=
    local typed=${words[${#words[@]} - 1]}
    local kept=${typed%"$current"}
    mapfile -t suggestions < <("${words[0]}" complete-words -- "${words[@]:1}" 2>/dev/null)
    COMPREPLY=("${suggestions[@]#"$kept"}")
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}
complete -F _snapshot_status snapshot-status
