use super::*;

fn lookup(name: &str) -> Option<String> {
    let value = match name {
        "FOO" => "foobarbaz",
        "X" => "xxyy",
        "EMPTY" => "",
        "PATH" => "/usr/local/bin",
        "KOREAN" => "한국어",
        "STARS" => "a***yy*",
        "TAIL" => "xx**",
        "ODD" => "()[]{}^$.*?|\\x",
        "TEXT" => "/foo*/*/*.txt",
        "NEEDLE" => "\\*/",
        "URL" => "http://google.de",
        "HTTP" => "http://",
        "HTTPS" => "https://",
        "BLANKS" => " a  b ",
        "LINES" => "a\nb",
        _ => return None,
    };
    Some(value.to_owned())
}

fn word(text: &str) -> Result<String, String> {
    expand(text, '\\', &lookup).map_err(|error| error.to_string())
}

#[test]
fn words_become_what_they_say() {
    for (text, expected) in [
        ("hello", "hello"),
        ("he'll'o", "hello"),
        ("he\"ll\"o", "hello"),
        ("he\\'llo", "he'llo"),
        ("'he\\'llo", "he\\llo"),
        ("\"he\\'llo\"", "he\\'llo"),
        ("\"he\\\"llo\"", "he\"llo"),
        ("\"he\\\\llo\"", "he\\llo"),
        ("\"\\$FOO\"", "$FOO"),
        ("he\\\\llo", "he\\llo"),
        ("hello\\", "hello"),
        ("abc\\tdef", "abctdef"),
        ("\"abc\\tdef\"", "abc\\tdef"),
        ("'$FOO'", "$FOO"),
        ("\\$FOO", "$FOO"),
        ("$FOO", "foobarbaz"),
        ("\"$FOO\"", "foobarbaz"),
        ("he${FOO}llo", "hefoobarbazllo"),
        ("$FOOx", ""),
        ("$FOO.x", "foobarbaz.x"),
        ("$", "$"),
        ("a$", "a$"),
        ("$.x", "$.x"),
        ("he$1x", "hex"),
        ("he$12x", "hex"),
        ("$KOREAN", "한국어"),
        ("안녕$KOREAN", "안녕한국어"),
        ("${UNSET}x", "x"),
        ("  keep  blanks ", "  keep  blanks "),
        ("$BLANKS", " a  b "),
        // A default, if it is not set.
        ("${UNSET-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${FOO:-d}", "foobarbaz"),
        ("${FOO:-}", "foobarbaz"),
        ("${UNSET:-}", ""),
        ("${UNSET:-$FOO}", "foobarbaz"),
        ("${UNSET:-${UNSET:-${X}}}", "xxyy"),
        ("${UNSET:-'a}b'}", "a}b"),
        ("${UNSET:-\"a}b\"}", "a}b"),
        ("${UNSET:-a\\}b}", "a}b"),
        ("${UNSET:-a b}", "a b"),
        // Another text, if it is.
        ("${UNSET+d}", ""),
        ("${EMPTY+d}", "d"),
        ("${EMPTY:+d}", ""),
        ("${X:+-${X}}", "-xxyy"),
        // Must be there.
        ("${X:?why}", "xxyy"),
        ("${EMPTY?why}", ""),
        // Prefixes.
        ("${FOO#f*b}", "arbaz"),
        ("${FOO##f*b}", "az"),
        ("${FOO#x}", "foobarbaz"),
        ("${FOO#}", "foobarbaz"),
        ("${FOO##*}", ""),
        ("${X#*x*y}", "y"),
        ("${X#*}", "xxyy"),
        ("${X##*x}", "yy"),
        ("${X#${UNSET:-x}}", "xyy"),
        ("${ODD#()[]{\\}^$.\\*\\?|\\\\}", "x"),
        // Suffixes.
        ("${FOO%b*}", "foobar"),
        ("${FOO%%b*}", "foo"),
        ("${PATH##*/}", "bin"),
        ("${PATH%/*}", "/usr/local"),
        ("${TAIL%%\\**}", "xx"),
        ("${STARS%%\\**\\*}", "a"),
        ("${X%}", "xxyy"),
        ("${X%?}", "xxy"),
        ("${UNSET%x}", ""),
        // Replacements.
        ("${FOO/ba/fo}", "fooforbaz"),
        ("${FOO//ba/fo}", "fooforfoz"),
        ("${FOO//a?/-}", "foob-b-"),
        ("${FOO/b*/}", "foo"),
        ("${TEXT/$NEEDLE/.} - ${TEXT//$NEEDLE/.}", "/foo.*/*.txt - /foo..*.txt"),
        ("${URL/$HTTP/$HTTPS}", "https://google.de"),
        ("${PATH//\\//\\/}", "\\/usr\\/local\\/bin"),
        ("${X/$EMPTY/ww}", "wwxxyy"),
        ("${X//$EMPTY/-}", "-x-x-y-y-"),
        ("${X//*/z}", "z"),
        ("${X///}", "xxyy"),
        ("${UNSET//a/b}", ""),
        ("${KOREAN/국/-}", "한-어"),
        // A star does not leave its line.
        ("${LINES#*b}", "a\nb"),
        ("${LINES%%*}", "a\n"),
    ] {
        assert_eq!(word(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    for (text, expected) in [
        ("'abc", "a ' has no partner"),
        ("\"abc", "a \" has no partner"),
        ("\"abc\\\"", "a \" has no partner"),
        ("${", "a ${ has no }"),
        ("${FOO", "a ${ has no }"),
        ("${FOO:", "a ${ has no }"),
        ("${FOO:-x", "a ${ has no }"),
        ("${}", "names no variable"),
        ("${{FOO}}", "names no variable"),
        ("${:x}", "names no variable"),
        ("${FOO=x}", "\"=\" after ${FOO is no modifier"),
        ("${FOO:x}", "\":x\" after ${FOO is no modifier"),
        ("${FOO^^}", "\"^\" after ${FOO is no modifier"),
        ("${FOO//x}", "has no second /"),
        ("${FOO/x/y", "a ${ has no }"),
        ("${FOO#\\x}", "means nothing"),
        ("${UNSET?}", "UNSET is not set"),
        ("${UNSET?say $X}", "UNSET: say xxyy"),
        ("${EMPTY:?must be}", "EMPTY: must be"),
        ("${UNSET:-'x}", "a ' has no partner"),
    ] {
        let error = word(text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn the_other_escape_character_escapes() {
    let word = |text| expand(text, '`', &lookup).expect("text");
    assert_eq!(word("c:\\dir`$FOO"), "c:\\dir$FOO");
    assert_eq!(word("\"c:\\$X`\"\""), "c:\\xxyy\"");
}

#[test]
fn words_are_split_after_filling_in() {
    for (text, expected) in [
        ("80 443/tcp", &["80", "443/tcp"][..]),
        ("$BLANKS c", &["a", "b", "c"]),
        ("\"$BLANKS\" c", &[" a  b ", "c"]),
        ("a'b c'd e", &["ab cd", "e"]),
        ("a\\ b", &["a b"]),
        ("\"\" a", &["a"]),
        ("", &[]),
        ("  ", &[]),
        ("${UNSET:-80 81}", &["80", "81"]),
    ] {
        let words = expand_words(text, '\\', &lookup).expect("words");
        assert_eq!(words, expected, "{text}");
    }
}

#[test]
fn quotes_mean_nothing_in_a_file() {
    let raw = |text| expand_raw(text, &lookup).expect("text");
    assert_eq!(raw("it's \"$X\" \\$X 'ok'\n"), "it's \"xxyy\" $X 'ok'\n");
    assert_eq!(raw("${UNSET:-it's}"), "it's");
}

#[test]
fn words_of_a_shell_stay_as_written() {
    let words = shell_words("cat <<'E' $x \"a b\" ${y:-1 2} a\\ b").expect("words");
    assert_eq!(words, ["cat", "<<'E'", "$x", "\"a b\"", "${y:-1", "2}", "a\\ b"]);
    assert_eq!(unquote("'E'").as_deref(), Some("E"));
    assert_eq!(unquote("$E").as_deref(), Some("$E"));
    assert_eq!(unquote("a b"), None);
}

#[test]
fn nothing_grows_without_end() {
    let huge = "x".repeat(600 * 1024);
    let lookup = |_: &str| Some(huge.clone());
    let error = expand("$a$a", '\\', &lookup).expect_err("growth");
    assert!(error.to_string().contains("grows by more than"), "{error}");
    // Thrown away, but made.
    let error = expand(&"${a:+}${a:+$a}".repeat(40).replace(":+$a", ":+${a#$a}"), '\\', &lookup).expect_err("work");
    assert!(error.to_string().contains("work"), "{error}");
    let error = expand("${a//*x*y/}", '\\', &lookup).expect_err("work");
    assert!(error.to_string().contains("work"), "{error}");
    let deep = format!("{}{}", "${u:-".repeat(100), "}".repeat(100));
    let error = expand(&deep, '\\', &|_| None).expect_err("depth");
    assert!(error.to_string().contains("stand in each other"), "{error}");
}
