//! Configuration: what holds for Flyway holds for us.

use std::collections::BTreeSet;

use super::project::Project;

const SCRIPTS: [(&str, &str); 3] = [
    ("sql/V1__a.sql", "SELECT 1;"),
    ("other/V2__b.sql", "SELECT 1;"),
    ("sql/mig3-c.sql", "SELECT 1;"),
];

fn toml(table: &str) -> String {
    format!("[flyway]\ntable = '{table}'\n")
}

fn conf(table: &str) -> String {
    format!("flyway.table={table}\n")
}

/// Files, variables and arguments; the table says which of them holds.
#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn what_overrides_what() {
    type Case<'a> = (&'a [(&'a str, String)], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let overrides = "[flyway]\nenvironment = 'one'\ntable = 'all'\nlocations = ['filesystem:sql']\n[environments.one]\n\
        [environments.one.flyway]\ntable = 'own'\nlocations = ['filesystem:other']\n[environments.two.flyway]\ntable = 'two'\n";
    let cases: &[Case<'_>] = &[
        (&[], &[], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.conf", conf("a"))], &[], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.conf", conf("a")), ("flyway.conf", conf("b"))], &[], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.toml", toml("a")), ("conf/flyway.conf", conf("b"))], &[], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.toml", toml("a")), ("conf/flyway.user.toml", toml("b"))], &[], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.user.toml", toml("b")), ("flyway.toml", toml("a"))], &[], &["-locations=filesystem:sql"]),
        (
            &[("conf/flyway.toml", toml("a")), ("conf/x.toml", toml("b"))],
            &[("FLYWAY_CONFIG_FILES", "/flyway/conf/x.toml")],
            &["-locations=filesystem:sql"],
        ),
        (
            &[("conf/flyway.toml", toml("a")), ("conf/x.conf", conf("b"))],
            &[("FLYWAY_CONFIG_FILES", "conf/x.conf")],
            &["-locations=filesystem:sql"],
        ),
        (
            &[("conf/y.toml", toml("a")), ("conf/x.toml", toml("b"))],
            &[("FLYWAY_CONFIG_FILES", "/flyway/conf/x.toml")],
            &["-locations=filesystem:sql", "-configFiles=/flyway/conf/y.toml"],
        ),
        (
            &[("conf/y.conf", conf("a")), ("conf/x.toml", toml("b"))],
            &[("FLYWAY_CONFIG_FILES", "/flyway/conf/x.toml")],
            &["-locations=filesystem:sql", "-configFiles=conf/y.conf"],
        ),
        (&[("conf/flyway.toml", toml("a"))], &[("FLYWAY_TABLE", "v")], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.conf", conf("a"))], &[("FLYWAY_TABLE", "v")], &["-locations=filesystem:sql", "-table=w"]),
        (&[("conf/flyway.toml", toml("a"))], &[("FLYWAY_TABLE", "v"), ("flyway_table", "u")], &["-locations=filesystem:sql"]),
        (&[("conf/flyway.toml", overrides.to_owned())], &[("FLYWAY_TABLE", "v")], &["-table=w"]),
        (&[("conf/flyway.toml", overrides.to_owned())], &[], &["-environment=two"]),
        (&[("conf/flyway.toml", overrides.to_owned())], &[], &["-environment=two", "-environments.two.flyway.table=x"]),
        (&[("conf/flyway.conf", conf("${TABLE}_x"))], &[("TABLE", "t")], &["-locations=filesystem:sql"]),
        (
            &[("conf/flyway.conf", "flyway.table : c\nflyway.locations filesystem:sql, \\\n   filesystem:other\nflyway.sqlMigrationSeparator=-\nflyway.sqlMigrationPrefix = mig\n".to_owned())],
            &[],
            &[],
        ),
        (
            &[("conf/flyway.toml", "flyway.table = 'd'\nflyway.locations = ['filesystem:sql', 'filesystem:other']".to_owned())],
            &[("FLYWAY_LOCATIONS", "filesystem:other")],
            &[],
        ),
        (&[], &[("FLYWAY_LOCATIONS", "filesystem:other, filesystem:sql"), ("FLYWAY_BASELINE_MIGRATION_PREFIX", "mig")], &["-sqlMigrationSeparator=-"]),
    ];
    for (files, variables, arguments) in cases {
        let files = files.iter().map(|(path, text)| (*path, text.as_str()));
        let mut project = Project::new(SCRIPTS.into_iter().chain(files)).arguments(arguments);
        for (name, value) in *variables {
            project = project.variable(name, value);
        }
        let case = format!("{:?} {variables:?} {arguments:?}", project.config());
        let (found, table) = project.info_as_text();
        assert_eq!(table, project.config().table, "{case}");
        let ours = project
            .expected()
            .into_iter()
            .map(|[category, version, description, kind, _]| [category, version, description, kind]);
        assert_eq!(ours.collect::<BTreeSet<_>>(), found, "{case}");
    }
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn files_of_both_forms_are_refused_where_they_are_named() {
    let files = [("conf/a.toml", toml("a")), ("conf/b.conf", conf("b"))];
    let files = files.iter().map(|(path, text)| (*path, text.as_str()));
    let project = Project::new(SCRIPTS.into_iter().chain(files))
        .variable("FLYWAY_CONFIG_FILES", "/flyway/conf/a.toml,/flyway/conf/b.conf");
    let done = project.run(&project.sqlite(), &["info"]);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        !done.status.success() && text.contains("both TOML configuration and CONF"),
        "{text}"
    );
    assert!(project.config().refuses_files);
}
