use super::*;

fn rules(text: &str) -> Rules {
    Rules::of_file(".dockerignore", text.as_bytes()).expect(text)
}

#[test]
fn paths_are_cleaned_as_go_does() {
    for (path, expected) in [
        ("", "."),
        (".", "."),
        ("./a", "a"),
        ("a//b/./c/", "a/b/c"),
        ("a/../b", "b"),
        ("../a", "../a"),
        ("a/../../b", "../b"),
        ("/../a", "/a"),
        ("/", "/"),
        ("//", "/"),
        ("a/..", "."),
    ] {
        assert_eq!(cleaned(path), expected, "{path}");
    }
}

#[test]
fn the_last_rule_that_fits_decides() {
    for (text, path, expected) in [
        ("", "a", false),
        ("a", "a", true),
        ("a", "a/b/c", true),
        ("/a", "a", true),
        ("./a/", "a", true),
        ("b/../a", "a", true),
        ("  a  ", "a", true),
        ("\u{feff}a", "a", true),
        ("a\r\nb\r\n", "b", true),
        ("#a", "a", false),
        ("#a", "#a", false),
        (" #a", "#a", true),
        ("*.md\n!README.md", "README.md", false),
        ("*.md\n!README.md", "x.md", true),
        ("!README.md\n*.md", "README.md", true),
        ("*\n!a", "a/b", false),
        ("*\n!a/b", "a/b", false),
        ("*\n!a/b", "a/c", true),
        ("*\n! a", "a", false),
        ("*\n!/a", "a", false),
        ("*.md", "a/x.md", false),
        ("**/*.md", "a/x.md", true),
        ("*/*.md", "a/x.md", true),
        (".", "a", false),
        ("..", "a", false),
        ("../a", "a", false),
        ("/", "a", false),
        ("a/b", "a", false),
        ("a/*\n!a/b", "a/b/c", false),
        ("a\n!a/b\na/b/c", "a/b/c", true),
        ("a/b\n!a", "a/b", false),
        ("**\n!**/x", "a/x", false),
        ("**\n!**/x", "a/x/y", false),
    ] {
        assert_eq!(rules(text).fit(path), expected, "{text:?} and {path}");
    }
    assert!(!rules("**").fit(""));
}

#[test]
fn a_flag_is_taken_as_it_is() {
    let rules = Rules::of_flag("--exclude", ["*.txt", "!keep.txt", "", "/x"]).expect("rules");
    assert!(rules.fit("a.txt"));
    assert!(!rules.fit("keep.txt"));
    assert!(!rules.fit("x"));
    assert!(!rules.fit("d/a.txt"));
}

#[test]
fn what_is_no_rule_is_named_with_its_line() {
    let error = Rules::of_file(".dockerignore", b"a\n# x\nb[\n").expect_err("bracket");
    assert_eq!(error.to_string(), r#".dockerignore:3: "b[" is not a pattern of files"#);
    assert_eq!(Rules::of_file("i", b"!").expect_err("empty").reason, RuleReason::Empty);
    assert_eq!(
        Rules::of_file("i", b"!  ").expect_err("empty").reason,
        RuleReason::Empty
    );
    let long = "a".repeat(5000);
    assert_eq!(
        Rules::of_file("i", long.as_bytes()).expect_err("long").reason,
        RuleReason::Long
    );
    let error = Rules::of_flag("--exclude", ["!"]).expect_err("flag");
    assert_eq!(error.to_string(), r#"--exclude: "!" is not a pattern of files"#);
}

#[test]
fn a_directory_is_entered_only_for_an_exception() {
    for (text, directory, expected) in [
        ("node_modules", "node_modules", false),
        ("node_modules\n!node_modules/a", "node_modules", true),
        ("node_modules\n!src", "node_modules", false),
        ("*\n!**/x", "deep/er", true),
    ] {
        assert_eq!(
            rules(text).may_spare_below(directory),
            expected,
            "{text:?} and {directory}"
        );
    }
}
