use super::*;

/// Code, line and column of what is found, whatever the pieces.
fn found(text: &str) -> Vec<(&'static str, u64, u64)> {
    let places = |size: usize| -> Vec<(&'static str, u64, u64)> {
        let mut scanner = Scanner::new();
        text.as_bytes().chunks(size).for_each(|piece| scanner.update(piece));
        let findings = scanner.finish("x.sql").into_iter();
        findings
            .map(|finding| (finding.rule.code, finding.place.line, finding.place.column))
            .collect()
    };
    let whole = places(text.len().max(1));
    for size in [1, 2, 3, 7, 1000, 40_000] {
        assert_eq!(places(size), whole, "in pieces of {size}");
    }
    whole
}

/// A token as it may look; put together here, so that nobody takes this file for a leak.
fn token(start: &str, count: usize) -> String {
    let body = "q7Zr2mXw9Kd4Tb6Yp3Hs8Nf5Vj1LcGaReUoQ0zBxMtWiSnEkDhFyJvPuCgAl7Ir2m3K9d4Tb6Yp";
    format!("{start}{}", &body[..count])
}

fn upper(start: &str, count: usize) -> String {
    format!("{start}{}", &"Q7ZRMXWKD4TB6YP3HSNF5VJLCGA"[..count])
}

/// Catches a kind of token that is not known any more.
#[test]
fn tokens_are_found() {
    let json = format!("{}.{}.{}", token("eyJ", 20), token("eyJ", 60), token("", 43));
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n", token("", 64));
    let inline = format!("-----BEGIN PRIVATE KEY-----\\n{}\\n", token("", 64));
    for secret in [
        upper("AKIA", 16),
        upper("ASIA", 16),
        format!("aws_secret_access_key = {}", token("", 40)),
        format!("\"SecretAccessKey\": \"{}\"", token("", 40)),
        json,
        pem,
        inline,
        token("glpat-", 20),
        token("glrt-", 20),
        token("ghp_", 36),
        token("github_pat_", 70),
        token("xoxb-", 40),
        format!("https://hooks.slack.com/services/T{}", token("", 40)),
        token("sk_live_", 24),
        token("AIza", 35),
        format!("{}.{}", token("SG.", 22), token("", 43)),
        token("npm_", 36),
        token("dckr_pat_", 27),
        token("hvs.", 30),
    ] {
        let text = format!("SELECT 1;\nINSERT INTO é VALUES ('{secret}');\n");
        let codes: Vec<_> = found(&text).into_iter().map(|(code, line, _)| (code, line)).collect();
        assert_eq!(codes, [("S003", 2)], "{secret}");
        assert!(super::super::shows_secret(&text), "{secret}");
        assert!(super::super::token::first(&text).is_some(), "{secret}");
    }
}

/// Catches what an ordinary script is full of and what is no secret.
#[test]
fn ordinary_texts_are_not_found() {
    let many = "x".repeat(36);
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAN_MARKETS_2024_TABLES_X",
        "PRIMARY KEY (id), -- PRIVATE KEY of the table",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "eyJ is how base64 of {\" begins",
        "ghp_short",
        &format!("ghp_{many}"),
        "task_live_stream_2024_01_01_example",
        "disk_live_stream_0123456789abcdef0123",
        "https://example.com/a?b=c",
        "postgres://user:secret@db.example.com/orders",
        "https://docs.example.org/@user",
        "smtp://mail:${SMTP_PASSWORD}@mail.internal",
        "mailto://nobody@internal",
        "UPDATE users SET password='abc' WHERE id = 1 AND host=2",
        "dblink('host=db user=u password=${pw}')",
        "http://a.internal:8080/x@y",
        "SELECT now()::text, 'a'::timestamp",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

/// Catches an address with a password that is passed over, and a wrong place.
#[test]
fn addresses_with_passwords_are_found() {
    for (text, column) in [
        ("SELECT 'https://u:hunter2@git.internal/x'", 14),
        ("-- jdbc:oracle:thin:u/hunter2@db:1521:x", 15),
        (
            "SELECT dblink('host=db user=u password=hunter2 dbname=x', 'SELECT 1')",
            31,
        ),
        ("INSERT INTO dsn VALUES ('root:hunter2@tcp(db:3306)/x')", 38),
        ("CALL p('jdbc:mysql://db/x?user=u&password=hunter2')", 19),
    ] {
        assert_eq!(found(&format!("\n\n{text}\n")), [("S002", 3, column)], "{text}");
    }
}

/// Catches a place that is lost where a piece ends, or a text that is kept.
#[test]
fn long_texts_are_searched_to_the_end_in_little_memory() {
    let line = "INSERT INTO orders (id, name) VALUES (1, 'a customer with a name');\n";
    let mut text = line.repeat(5000);
    text.push_str(&format!("-- ä {}\n", upper("AKIA", 16)));
    text.push_str(&line.repeat(5000));
    let mut scanner = Scanner::new();
    for piece in text.as_bytes().chunks(65_536) {
        scanner.update(piece);
        assert!(scanner.buffer.len() <= CHUNK_BYTES * 2 + BEHIND_BYTES);
    }
    let findings = scanner.finish("x.sql");
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        "S003: x.sql:5001:6: what looks like an AWS access key"
    );
    let secrets = format!("'{}',", upper("AKIA", 16)).repeat(1000);
    assert_eq!(found(&secrets).len(), MOST_FINDINGS);
    // One endless line, without an end in sight.
    assert_eq!(found(&"a://b".repeat(20_000)), []);
}
