# In how many scripts shipway and squawk find what both look for: jq -rn --slurpfile shipway A --slurpfile squawk B -f agreement.jq
{
    "adding-field-with-default": "R022", "adding-foreign-key-constraint": "R011", "adding-not-nullable-field": "R014",
    "adding-required-field": "R013", "ban-drop-column": "R002", "ban-drop-database": "R001", "ban-drop-schema": "R001",
    "ban-drop-table": "R001", "ban-truncate-cascade": "R003", "changing-column-type": "R015",
    "constraint-missing-not-valid": "R011", "disallowed-unique-constraint": "R012", "renaming-column": "R016",
    "renaming-table": "R016", "require-concurrent-index-creation": "R010", "require-concurrent-index-deletion": "R010"
} as $names
| def found(rule; path): map({rule: rule, file: (path | split("/") | last)} | select(.rule)) | unique;
($shipway[0].findings | found(.rule; .path) | map(select(IN(.rule; $names[])))) as $ours
| ($squawk[0] | found($names[.rule_name]; .file)) as $theirs
| "| rule | both | shipway alone | squawk alone |", "|---|---|---|---|",
(($ours + $theirs | map(.rule) | unique)[] as $rule
    | ($ours | map(select(.rule == $rule).file)) as $a
    | ($theirs | map(select(.rule == $rule).file)) as $b
    | "| \($rule) | \($a - ($a - $b) | length) | \($a - $b | length) | \($b - $a | length) |")
