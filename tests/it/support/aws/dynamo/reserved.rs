//! Words that no expression may name an attribute by without `#`.

/// Those of DynamoDB's list that could be attributes of ours.
pub(super) const RESERVED: [&str; 89] = [
    "ACTION", "ADD", "ALL", "AND", "ANY", "ATTRIBUTE", "BEGIN", "BETWEEN", "BY", "CASE", "CHECK", "COMMENT", "CONDITION",
    "CONTAINS", "COUNT", "COUNTER", "CREATE", "CURRENT", "DATE", "DAY", "DEFINITION", "DELETE", "DESC", "DURATION", "ELSE", "END",
    "ERROR", "ERRORS", "EXISTS", "EXIT", "FAILURE", "FILE", "FROM", "FUNCTION", "GROUP", "HASH", "HOUR", "IN", "INDEX", "ITEM", "KEY",
    "LAST", "LIMIT", "LIST", "LOCAL", "LOCATION", "LOCK", "LOCKS", "LOG", "LOGGED", "MAP", "MODE", "NAME", "NAMES", "NEW",
    "NO", "NOT", "NUMBER", "OF", "OLD", "ON", "OR", "ORDER", "OWNER", "PARTITION", "POSITION", "RANGE", "REGION",
    "REPLACE", "SET", "SIZE", "START", "STATE", "STATUS", "STREAM", "TABLE", "TEXT", "TIME", "TIMESTAMP", "TOKEN", "TTL", "TYPE",
    "UPDATE", "USER", "VALUE", "VALUES", "VERSION", "VIEW", "YEAR",
];
