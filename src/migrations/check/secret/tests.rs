use super::*;

/// Rule, line and key of what is found in a file.
fn found(name: &str, text: &str) -> Vec<(&'static str, usize, String)> {
    let text = NamedText {
        kind: TextKind::Config,
        name,
        value: text,
    };
    secrets(std::iter::once(text))
        .into_iter()
        .map(|finding| {
            (
                finding.rule.code,
                finding.place.line as usize,
                finding.key.unwrap_or_default(),
            )
        })
        .collect()
}

fn of_image(kind: TextKind, name: &str, value: &str) -> Option<Finding> {
    secrets(std::iter::once(NamedText { kind, name, value })).pop()
}

#[test]
fn keys_of_conf_files() {
    for (line, expected) in [
        ("flyway.password=changeme", Some("S001")),
        ("flyway.password = x", Some("S001")),
        ("flyway.password: x", Some("S001")),
        ("  FLYWAY.Password=x", Some("S001")),
        ("flyway.password=pre${X}", Some("S001")),
        ("flyway.password=${X:-literal}", Some("S001")),
        ("flyway.password=$ecret!", Some("S001")),
        ("flyway.licenseKey=FL01", Some("S001")),
        ("flyway.token=abc", Some("S001")),
        ("flyway.vault.token=abc", Some("S001")),
        ("flyway.check.buildPassword=abc", Some("S001")),
        ("flyway.jdbcProperties.password=abc", Some("S001")),
        ("flyway.jdbcProperties.accessToken=abc", Some("S001")),
        ("flyway.jdbcProperties.sslpassword=abc", Some("S001")),
        ("flyway.jdbcProperties.secretKey=abc", Some("S001")),
        ("flyway.environments.dev.password=abc", Some("S001")),
        ("flyway.initSql=ALTER USER x PASSWORD 'abc'", Some("S001")),
        ("flyway.initSql=CREATE USER x IDENTIFIED BY 'abc'", Some("S001")),
        ("flyway.url=jdbc:postgresql://h/d?user=u&password=abc", Some("S002")),
        ("flyway.url=jdbc:postgresql://u:abc@h/d", Some("S002")),
        (
            "flyway.url=jdbc:sqlserver://h;databaseName=d;password=abc",
            Some("S002"),
        ),
        ("flyway.url=jdbc:oracle:thin:u/abc@h:1521:d", Some("S002")),
        ("flyway.url=jdbc:mysql://h/d?PASSWORD=abc", Some("S002")),
        ("flyway.password=", None),
        ("flyway.password", None),
        ("# flyway.password=abc", None),
        ("! flyway.password=abc", None),
        ("flyway.password=${DB_PASSWORD}", None),
        ("flyway.password=${env.DB_PASSWORD}", None),
        ("flyway.password=<password>", None),
        ("flyway.password=***", None),
        ("flyway.user=orders", None),
        ("flyway.placeholders.password_column=pw", None),
        ("flyway.table=password", None),
        ("flyway.jdbcProperties.ssl=true", None),
        ("flyway.url=jdbc:postgresql://h:5432/d?user=u", None),
        ("flyway.url=jdbc:postgresql://u@h/d", None),
        ("flyway.url=jdbc:postgresql://h/d?password=${PW}", None),
        ("flyway.url=jdbc:postgresql://u:${PW}@h/d", None),
        ("flyway.url=jdbc:postgresql://h/d?passwordless=true", None),
        ("flyway.url=jdbc:oracle:thin:@//h:1521/d", None),
        ("flyway.initSql=SET search_path TO x", None),
        ("flyway.initSql=ALTER USER x PASSWORD '${PW}'", None),
        ("flyway.email=a@b.c", None),
    ] {
        let text = format!("# first\n{line}\n");
        let codes = found("conf/flyway.conf", &text).into_iter();
        let codes: Vec<_> = codes.map(|(code, line, _)| (code, line)).collect();
        let expected: Vec<_> = expected.into_iter().map(|code| (code, 2)).collect();
        assert_eq!(codes, expected, "{line}");
    }
}

#[test]
fn keys_of_toml_files() {
    let text = "[flyway]\nenvironment = 'dev'\ntoken = 'abc'\nurl = 'jdbc:x://u:p@h'\n\n[environments.dev]\nurl = \"jdbc:postgresql://h/d\"\npassword = \"changeme\"\n[environments.dev.resolvers.vault]\ntoken = 'abc'\nurl = 'https://v'\n[environments.test]\npassword = '${env.PW}'\njdbcProperties = { accessToken = 'abc', ssl = 'true' }\n[environments.pin]\npassword = 1234\n";
    assert_eq!(
        found("flyway.toml", text),
        [
            ("S001", 3, "flyway.token".to_owned()),
            ("S002", 4, "flyway.url".to_owned()),
            ("S001", 8, "environments.dev.password".to_owned()),
            ("S001", 10, "environments.dev.resolvers.vault.token".to_owned()),
            ("S001", 14, "environments.test.jdbcProperties.accessToken".to_owned()),
            ("S001", 16, "environments.pin.password".to_owned()),
        ]
    );
    // Broken, and a secret all the same.
    let broken = "[environments.dev]\npassword = \"abc\"\nurl = \n";
    assert_eq!(
        found("flyway.toml", broken),
        [("S001", 2, "environments.dev.password".to_owned())]
    );
    assert_eq!(found("notes.txt", "flyway.password=abc"), []);
}

#[test]
fn variables_and_labels() {
    for (name, value, expected) in [
        ("FLYWAY_PASSWORD", "changeme", Some("S004")),
        ("DB_PASSWORD", "1234", Some("S004")),
        ("MYSQL_PWD", "x", Some("S004")),
        ("API_KEY", "x", Some("S004")),
        ("AWS_SECRET_ACCESS_KEY", "x", Some("S004")),
        ("GITHUB_TOKEN", "x", Some("S004")),
        ("dbPassword", "x", Some("S004")),
        ("com.example.db-password", "x", Some("S004")),
        ("FLYWAY_URL", "jdbc:postgresql://u:p@h/d", Some("S002")),
        ("HTTP_PROXY", "http://u:p@proxy:3128", Some("S002")),
        (
            "org.opencontainers.image.source",
            "https://ci:abc@git.example.com/a.git",
            Some("S002"),
        ),
        ("PWD", "/flyway", None),
        ("OLDPWD", "/", None),
        ("DB_PASSWORD", "", None),
        ("DB_PASSWORD", "${DB_PASSWORD}", None),
        ("DB_PASSWORD", "$DB_PASSWORD", None),
        ("DB_PASSWORD", "<password>", None),
        ("DB_PASSWORD_FILE", "/run/secrets/db", None),
        ("SECRET_ARN", "arn:aws:secretsmanager:x", None),
        ("TOKEN_URL", "https://a.b/token", None),
        ("ALLOW_EMPTY_PASSWORD", "yes", None),
        ("MAX_TOKENS", "4096", None),
        ("TOKENIZER", "x", None),
        ("COMPASS_WORD", "x", None),
        ("HTTP_PROXY", "http://proxy:3128", None),
        ("MAINTAINER", "A <a@b.c>", None),
        ("org.opencontainers.image.source", "git@git.example.com:a/b.git", None),
    ] {
        for kind in [TextKind::Variable, TextKind::Label] {
            let found = of_image(kind, name, value).map(|finding| finding.rule.code);
            assert_eq!(found, expected, "{name}={value}");
        }
    }
}

#[test]
fn a_finding_does_not_tell_the_secret() {
    let finding = of_image(TextKind::Variable, "DB_PASSWORD", "hunter2").expect("finding");
    assert_eq!(finding.to_string(), "S004: ENV DB_PASSWORD holds a secret");
    assert!(!format!("{finding:?}").contains("hunter2"));
    let text = NamedText {
        kind: TextKind::Config,
        name: "conf/flyway.conf",
        value: "\nflyway.url=jdbc:x://u:hunter2@h\n",
    };
    let finding = secrets(std::iter::once(text)).pop().expect("finding");
    assert_eq!(
        finding.to_string(),
        "S002: conf/flyway.conf:2: flyway.url holds an address with a password"
    );
}

#[test]
fn what_is_allowed_is_allowed_by_place_and_key() {
    let text = NamedText {
        kind: TextKind::Config,
        name: "conf/flyway.conf",
        value: "flyway.password=x\n",
    };
    let finding = secrets(std::iter::once(text)).pop().expect("finding");
    let allows = |path: &str, key: &str| finding.is_allowed(&BTreeSet::from([(path.to_owned(), key.to_owned())]));
    assert!(allows("conf/flyway.conf", "flyway.password"));
    assert!(allows("./conf/flyway.conf", "flyway.password"));
    assert!(allows("/conf/flyway.conf", "flyway.password"));
    assert!(!allows("flyway.conf", "flyway.password"));
    assert!(!allows("conf/flyway.conf", "flyway.url"));
    assert!(!finding.is_allowed(&BTreeSet::new()));
}

/// Catches a file of another tool that is not read, or read wrongly.
#[test]
fn files_of_other_tools() {
    for (name, line, expected) in [
        ("liquibase.properties", "password: x1", Some("S001")),
        ("liquibase.properties", "liquibase.command.password=x1", Some("S001")),
        ("liquibase.properties", "referencePassword=x1", Some("S001")),
        ("liquibase.properties", "liquibase.licenseKey=x1", Some("S001")),
        (
            "liquibase.properties",
            "url: jdbc:postgresql://db/x?password=x1",
            Some("S002"),
        ),
        ("liquibase.properties", "username: liquibase", None),
        ("liquibase.properties", "changeLogFile: changelog.xml", None),
        (".env", "export DATABASE_URL=\"postgres://u:x1@db/x\"", Some("S002")),
        (".env", "DB_PASSWORD='x1'", Some("S001")),
        (
            "prod.env",
            "GOOSE_DBSTRING=\"host=db user=u password=x1\"",
            Some("S002"),
        ),
        (".env.local", "GOOSE_DBSTRING=root:x1@tcp(db:3306)/x", Some("S002")),
        (".env", "GOOSE_DBSTRING=root:x1@/x", Some("S002")),
        (".env", "DB_PASSWORD=${DB_PASSWORD}", None),
        (".env", "DATABASE_URL=postgres://db/x", None),
        ("atlas.hcl", "  url = \"mysql://root:x1@db/x\"", Some("S002")),
        ("atlas.hcl", "    token = \"x1\"", Some("S001")),
        ("atlas.hcl", "    token = getenv(\"ATLAS_TOKEN\")", None),
        (
            "dbconfig.yml",
            "  datasource: root:x1@tcp(db)/x?parseTime=true",
            Some("S002"),
        ),
        ("dbconfig.yml", "  password: \"x1\" # of nobody", Some("S001")),
        ("dbconfig.yml", "  password: !vault |", None),
        (".my.cnf", "[client]\npassword=x1", Some("S001")),
        (".pgpass", "db:5432:orders:migrator:x1", Some("S001")),
        (".pgpass", "# db:5432:orders:migrator:x1", None),
        ("flyway.conf", "flyway.placeholders.app_password=x1", Some("S001")),
        ("flyway.conf", "flyway.password=ENC(x1)", None),
        ("flyway.conf", "flyway.password=@db.password@", None),
        ("conf/client.p12", "", Some("S001")),
        ("wallet/cwallet.sso", "", Some("S001")),
        ("rds-truststore.jks", "", None),
        ("dev.user.toml", "[environments.dev]\npassword = 'x1'", Some("S001")),
    ] {
        let codes: Vec<_> = found(name, line).into_iter().map(|(code, ..)| code).collect();
        assert_eq!(codes, Vec::from_iter(expected), "{name}: {line}");
        let text = NamedText {
            kind: TextKind::Config,
            name,
            value: line,
        };
        for finding in secrets(std::iter::once(text)) {
            assert!(!format!("{finding}{finding:?}").contains("x1"), "{name}: {line}");
            assert!(finding.key.is_some(), "{name}: {line}");
        }
        assert_eq!(is_configuration(name), name != "rds-truststore.jks", "{name}");
    }
}

/// Catches a finding that does not say what to do instead: the sample of the article.
#[test]
fn the_way_out_is_told() {
    let text = NamedText {
        kind: TextKind::Config,
        name: "flyway.conf",
        value: "flyway.url=jdbc:postgresql://db/orders\nflyway.user=orders\nflyway.password=hunter2\n",
    };
    let [finding] = secrets(std::iter::once(text)).try_into().expect("one finding");
    assert_eq!(
        finding.to_string(),
        "S001: flyway.conf:3: flyway.password holds a secret"
    );
    let help = finding.help.expect("help");
    assert!(
        help.contains("FLYWAY_PASSWORD") && help.contains("`valueFrom`"),
        "{help}"
    );
}

/// Catches a line that would be quoted with the secret in it, and one that is hidden for nothing.
#[test]
fn lines_that_show_a_secret() {
    for line in [
        "CREATE USER x IDENTIFIED BY 'x1';",
        "ALTER ROLE x PASSWORD 'x1'",
        "flyway.password=x1",
        "  password: x1",
        "SELECT 'https://u:x1@git.internal'",
    ] {
        assert!(shows_secret(line), "{line}");
    }
    for line in [
        "CREATE TABLE tokens (token TEXT DEFAULT 'a:b')",
        "UPDATE t SET a = 1",
        "-- password: ${PASSWORD}",
        "",
    ] {
        assert!(!shows_secret(line), "{line}");
    }
}
