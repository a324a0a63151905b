use super::*;

#[test]
fn toml_that_says_locations() {
    for text in [
        "[flyway]\nlocations = [\"filesystem:sql\"]",
        "flyway.locations = ['filesystem:sql']",
        "\u{feff}[flyway]\nlocations = []",
        "[environments.test.flyway]\nlocations = ['filesystem:sql']",
    ] {
        assert!(says_locations("flyway.toml", text), "{text}");
        assert!(says_locations("Team.TOML", text), "{text}");
    }
}

#[test]
fn toml_that_does_not() {
    for text in [
        "",
        "[flyway]\n# locations = ['filesystem:sql']\ncallbackLocations = ['x']",
        "locations = ['filesystem:sql']",
        "[environments.default]\nlocations = 'x'",
        "[flyway\nlocations = [",
        "flyway.locations=filesystem:sql",
        "flyway = 1\nenvironments = [2]",
    ] {
        assert!(!says_locations("flyway.toml", text), "{text}");
    }
}

#[test]
fn properties_that_say_locations() {
    for text in [
        "flyway.locations=filesystem:sql",
        "  flyway.locations = filesystem:sql  ",
        "flyway.locations: filesystem:sql",
        "flyway.locations filesystem:sql",
        "flyway.locations\tx",
        "flyway.locations",
        "flyway.locations=",
        "# first\r\n! second\r\nflyway.url=jdbc:x\r\nflyway.locations=filesystem:sql\r\n",
        "flyway.url=x\\\nflyway.locations=y",
        "flyway.url=x\\\n\nflyway.locations : y",
        "\u{feff}flyway.locations=x",
    ] {
        assert!(says_locations("flyway.conf", text), "{text:?}");
    }
}

#[test]
fn properties_that_do_not() {
    for text in [
        "",
        "#flyway.locations=x",
        " !flyway.locations=x",
        "flyway.locationsX=y",
        "flyway.callbackLocations=y",
        "flyway.url=flyway.locations=x",
        "flyway.initSql=select\\\nflyway.locations x",
        "[flyway]\nlocations = ['x']",
    ] {
        assert!(!says_locations("flyway.conf", text), "{text:?}");
    }
}

fn file(path: &str, text: &str) -> ConfigFile {
    ConfigFile {
        image_path: path.to_owned(),
        shown: path.rsplit('/').next().unwrap_or_default().to_owned(),
        text: text.to_owned(),
    }
}

fn effective(files: &[ConfigFile], variables: &[(&str, &str)], arguments: &[&str]) -> FlywayConfig {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    FlywayConfig::effective(files, &variables, &arguments)
}

#[test]
fn nothing_given_is_the_default() {
    assert_eq!(effective(&[], &[], &["flyway", "migrate"]), FlywayConfig::default());
}

#[test]
fn each_source_overrides_the_one_before() {
    let conf = |table: &str| file("/flyway/conf/flyway.conf", &format!("flyway.table={table}"));
    let toml = |name: &str, table: &str| file(&format!("/flyway/conf/{name}"), &format!("[flyway]\ntable = '{table}'"));
    let variable = ("FLYWAY_TABLE", "variable");
    for (files, variables, arguments, table) in [
        (vec![conf("conf")], vec![], vec![], "conf"),
        (vec![toml("flyway.toml", "toml")], vec![], vec![], "toml"),
        (
            vec![toml("flyway.user.toml", "user"), toml("flyway.toml", "toml")],
            vec![],
            vec![],
            "user",
        ),
        (
            vec![toml("prod.toml", "named"), toml("flyway.user.toml", "user")],
            vec![],
            vec![],
            "user",
        ),
        (
            vec![toml("prod.toml", "named"), toml("flyway.user.toml", "user")],
            vec![("FLYWAY_CONFIG_FILES", "/flyway/conf/prod.toml")],
            vec![],
            "named",
        ),
        (
            vec![toml("prod.toml", "named"), toml("other.toml", "other")],
            vec![("FLYWAY_CONFIG_FILES", "conf/prod.toml")],
            vec!["-configFiles=/flyway/conf/other.toml"],
            "other",
        ),
        (vec![toml("flyway.toml", "toml")], vec![variable], vec![], "variable"),
        (vec![conf("conf")], vec![variable], vec![], "variable"),
        (vec![conf("conf")], vec![variable], vec!["-table=argument"], "argument"),
        (
            vec![toml("flyway.toml", "toml")],
            vec![variable, ("flyway_table", "lower")],
            vec![],
            "lower",
        ),
    ] {
        assert_eq!(
            effective(&files, &variables, &arguments).table,
            table,
            "{files:?} {variables:?} {arguments:?}"
        );
    }
}

#[test]
fn toml_hides_conf_and_what_is_named_hides_what_is_found() {
    let toml = file("/flyway/conf/flyway.toml", "[flyway]\ntable = 'toml'");
    let conf = file("/flyway/conf/flyway.conf", "flyway.table=conf\nflyway.encoding=x");
    let named = file("/flyway/conf/prod.conf", "flyway.table=named");
    let shadowed = |read: &str, unread: &str| Some((read.to_owned(), unread.to_owned()));
    let both = effective(&[conf.clone(), toml.clone()], &[], &[]);
    assert_eq!((both.table.as_str(), both.encoding.as_str()), ("toml", "UTF-8"));
    assert_eq!(both.shadowed, shadowed("flyway.toml", "flyway.conf"));
    assert!(!both.refuses_files);
    let by_name = effective(
        &[toml.clone(), named.clone()],
        &[("FLYWAY_CONFIG_FILES", "/flyway/conf/prod.conf")],
        &[],
    );
    assert_eq!(by_name.table, "named");
    assert_eq!(by_name.shadowed, shadowed("prod.conf", "flyway.toml"));
    let names = "/flyway/conf/prod.conf,/flyway/conf/flyway.toml";
    assert!(effective(&[toml, named], &[("FLYWAY_CONFIG_FILES", names)], &[]).refuses_files);
    assert_eq!(effective(&[conf], &[], &[]).shadowed, None);
}

#[test]
fn environments() {
    let toml = file(
        "/flyway/conf/flyway.toml",
        "[flyway]\nenvironment = 'test'\ntable = 'all'\n[flyway.placeholders]\na = '1'\n[environments.test]\nurl = 'jdbc:sqlite:x'\n\
         schemas = ['one', 'two']\n[environments.test.flyway]\nlocations = ['filesystem:test']\ntable = 'test'\n\
         [environments.prod]\nurl = '${env.URL}'\n[environments.prod.flyway.placeholders]\nb = '2'\n",
    );
    let test = effective(
        std::slice::from_ref(&toml),
        &[("FLYWAY_TABLE", "variable")],
        &["-table=argument"],
    );
    assert_eq!(test.table, "test", "the environment's own settings are above all");
    assert_eq!(test.locations, ["filesystem:test"]);
    assert_eq!(test.schemas, ["one", "two"]);
    assert_eq!(test.url.as_deref(), Some("jdbc:sqlite:x"));
    assert!(test.placeholders.values.contains_key("a"));
    let prod = effective(std::slice::from_ref(&toml), &[], &["-environment=prod"]);
    assert_eq!(prod.table, "all");
    assert_eq!(prod.url, None);
    assert_eq!(prod.placeholders.values.keys().collect::<Vec<_>>(), ["b"]);
    let prod = effective(
        &[toml],
        &[("URL", "jdbc:x")],
        &["-environment=prod", "-environments.prod.flyway.table=own"],
    );
    assert_eq!((prod.url.as_deref(), prod.table.as_str()), (Some("jdbc:x"), "own"));
}

#[test]
fn values_that_refer_to_something_are_known_by_name() {
    let conf = file(
        "/flyway/conf/flyway.conf",
        "flyway.placeholders.Known=${SET}\nflyway.placeholders.later=${UNSET}\nflyway.placeholders.plain=x\nflyway.url=${URL}",
    );
    let config = effective(&[conf], &[("SET", "value"), ("FLYWAY_PLACEHOLDERS_ENV", "e")], &[]);
    let values: Vec<_> = config
        .placeholders
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref()))
        .collect();
    assert_eq!(
        values,
        [
            ("env", Some("e")),
            ("known", Some("value")),
            ("later", None),
            ("plain", Some("x"))
        ]
    );
    assert_eq!(config.url, None);
}

#[test]
fn every_setting_that_scripts_depend_on() {
    let toml = file(
        "/flyway/conf/flyway.toml",
        "[flyway]\nlocations = ['filesystem:a', 'filesystem:b']\ncallbackLocations = ['filesystem:c']\ndefaultSchema = 's'\n\
         sqlMigrationPrefix = 'm'\nrepeatableSqlMigrationPrefix = 'r'\nbaselineMigrationPrefix = 'b'\nundoSqlMigrationPrefix = 'u'\n\
         sqlMigrationSeparator = '-'\nsqlMigrationSuffixes = ['.a', '.b']\nencoding = 'ISO-8859-1'\ndetectEncoding = true\n\
         placeholderPrefix = '<'\nplaceholderSuffix = '>'\nplaceholderReplacement = false\noutOfOrder = true\nmixed = true\ngroup = true\n\
         executeInTransaction = false\nbaselineVersion = 7\nignoreMigrationPatterns = ['*:missing']\n\
         [flyway.postgresql.transactional]\nlock = false\n",
    );
    let config = effective(&[toml], &[], &[]);
    let text = format!("{config:?}");
    for (name, is_other) in [
        ("locations", config.locations == ["filesystem:a", "filesystem:b"]),
        ("callbacks", config.callback_locations == ["filesystem:c"]),
        (
            "prefixes",
            config.prefixes.versioned == "m" && config.prefixes.repeatable == "r",
        ),
        (
            "prefixes",
            config.prefixes.baseline == "b" && config.prefixes.undo == "u",
        ),
        ("names", config.separator == "-" && config.suffixes == [".a", ".b"]),
        ("encoding", config.encoding == "ISO-8859-1" && config.detect_encoding),
        (
            "placeholders",
            config.placeholders.prefix == "<" && config.placeholders.suffix == ">",
        ),
        ("replacement", !config.placeholders.replace),
        ("order", config.out_of_order && config.mixed && config.group),
        (
            "transaction",
            !config.execute_in_transaction && !config.transactional_lock,
        ),
        ("schema", config.default_schema.as_deref() == Some("s")),
        (
            "rest",
            config.baseline_version == "7" && config.ignore_migration_patterns == ["*:missing"],
        ),
    ] {
        assert!(is_other, "{name}: {text}");
    }
}
