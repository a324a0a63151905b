//! `.dockerignore`.

use super::super::case::Case;

pub(in super::super) fn cases() -> Vec<Case> {
    let tree = |name, rules: &str| {
        Case::new(name, "FROM scratch\nCOPY . /app/\n")
            .file(".dockerignore", rules)
            .files(&[
                "a.txt",
                "b.md",
                "README.md",
                "d/a.txt",
                "d/b.md",
                "d/e/a.txt",
                "d/e/README.md",
                "f/g/h/deep.log",
                "temp1/x",
                "tempo/x",
                "#x",
            ])
            .directory("empty", 0o755)
    };
    vec![
        tree("ignore-names", "a.txt\nd/e\nempty\n"),
        tree("ignore-patterns", "*.md\n*/*.txt\ntemp?\n"),
        tree("ignore-everywhere", "**/*.md\n**/deep.log\n"),
        tree("ignore-exceptions", "*.md\n!README.md\nd\n!d/e/a.txt\n"),
        tree("ignore-all-but", "*\n!d/e\n!a.txt\n"),
        tree("ignore-all-but-deep", "**\n!f/g/h\n!**/README.md\n"),
        tree("ignore-order", "!a.txt\na.txt\n!b.md\nb.md\n!b.md\n"),
        tree(
            "ignore-odd-lines",
            "# comment\n\n  a.txt  \n/b.md\nd/e/\n./README.md\n\\#x\nf/../temp1\n",
        ),
        tree("ignore-itself", ".dockerignore\nDockerfile\n"),
        tree("ignore-ranges", "[ab].*\n[^d]/g\n"),
        tree("ignore-below-star", "d/*/a.txt\nf/**/deep.log\n"),
        tree("ignore-byte-order-mark", "\u{feff}a.txt\r\nb.md\r\n"),
        Case::new("ignore-makes-missing", "FROM scratch\nCOPY a.txt /\n")
            .file(".dockerignore", "*.txt\n")
            .file("a.txt", "a\n")
            .fails(),
        Case::new("ignore-bad-pattern", "FROM scratch\nCOPY a.txt /\n")
            .file(".dockerignore", "[a-\n")
            .file("a.txt", "a\n")
            .fails(),
        Case::new("ignore-of-the-dockerfile", "FROM scratch\nCOPY . /app/\n")
            .file(".dockerignore", "a.txt\n")
            .file("Dockerfile.dockerignore", "b.txt\n")
            .files(&["a.txt", "b.txt"]),
        Case::new(
            "ignore-does-not-touch-stages",
            "FROM scratch AS made\nCOPY keep.md /a.txt\nFROM scratch\nCOPY --from=made /a.txt /x\n",
        )
        .file(".dockerignore", "*.txt\n")
        .file("keep.md", "k\n"),
    ]
}
