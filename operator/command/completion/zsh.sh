# Completion of snapshot-status for zsh, after compinit: source <(snapshot-status completion zsh)
_snapshot_status() {
    local -a suggestions
    suggestions=("${(@f)$(${words[1]} complete-words -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    compadd -- $suggestions
}
compdef _snapshot_status snapshot-status
