# In how many scripts shipway and squawk find what both look for: jq -rn --slurpfile shipway A --slurpfile squawk B -f agreement.jq
#
# Squawk 2.70 on 2026-11-23, over 260 scripts (the state tables and ordinary scripts of src/migrations/check/risk): nothing that both look for
# is found by squawk alone, but for
# - tables, schemas, indexes and types the script made itself, of which squawk knows tables, and those for some rules only (all rules);
# - UNIQUE, PRIMARY KEY and EXCLUDE, which it also calls a constraint without NOT VALID (here R012), and SET NOT NULL helped by a check (R014);
# - CREATE INDEX … ON ONLY (R010), DROP FOREIGN TABLE (R001), ALTER TYPE … DROP ATTRIBUTE (R002), virtual columns and any function in a
#   default (R022).
# Found by shipway alone: DELETE, UPDATE and TRUNCATE without CASCADE (R003), a check of a new column and a constraint that is validated in the
# transaction that adds it (R011), DEFAULT NULL (R013), ADD CONSTRAINT … NOT NULL (R014), R018, R020, R021.
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
