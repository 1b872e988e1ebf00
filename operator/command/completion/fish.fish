# Completion of snapshot-status for fish: snapshot-status completion fish | source
function __snapshot_status
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    $words[1] complete-words -- $words[2..-1] (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command snapshot-status --no-files --arguments '(__snapshot_status)'
