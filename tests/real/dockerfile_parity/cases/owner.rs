//! `--chown`, `--chmod` and `USER`.

use super::super::case::{Builder, Case};

pub(in super::super) fn cases() -> Vec<Case> {
    let tree = |case: Case| {
        case.file("d/a.txt", "a\n")
            .directory("d/private", 0o700)
            .file_of_mode("d/private/run.sh", 0o755, "#!\n")
            .link("d/link", "a.txt")
    };
    vec![
        tree(Case::new(
            "chown-by-number",
            "FROM %rich%\nCOPY --chown=12:34 d /numbers/\nCOPY --chown=56 d /one/\nCOPY --chown=0:99 d/a.txt /group\n",
        )),
        tree(Case::new(
            "chown-by-name",
            "FROM %rich%\nCOPY --chown=app d /app/\nCOPY --chown=app:staff d /staff/\nCOPY --chown=www-data:7 d /seven/\nCOPY --chown=8:staff d /eight/\n",
        )),
        tree(Case::new(
            "chown-makes-directories",
            "FROM %rich%\nCOPY --chown=app:app d/a.txt /new/deep/\nCOPY --chown=app d /srv/more/place\n",
        )),
        tree(Case::new(
            "chown-into-existing",
            "FROM %rich%\nCOPY --chown=app:staff d /srv/shared\nCOPY --chown=5:6 d/a.txt /etc/settings\n",
        )),
        Case::new(
            "chown-by-number-of-a-user",
            "FROM %rich%\nCOPY --chown=1234 a.txt /x\nCOPY --chown=1000 a.txt /y\n",
        )
        .file("a.txt", "a\n"),
        Case::new(
            "chown-with-variables",
            "FROM %rich%\nARG WHO=app\nENV GROUP=staff\nCOPY --chown=${WHO}:$GROUP a.txt /x\n",
        )
        .file("a.txt", "a\n"),
        Case::new("chown-of-nobody", "FROM %rich%\nCOPY --chown=nobody-here a.txt /x\n")
            .file("a.txt", "a\n")
            .judged_by(Builder::Docker)
            .fails(),
        Case::new("chown-of-no-group", "FROM %rich%\nCOPY --chown=app:no-group a.txt /x\n")
            .file("a.txt", "a\n")
            .judged_by(Builder::Docker)
            .fails(),
        Case::new(
            "chown-by-name-without-users",
            "FROM scratch\nCOPY --chown=app a.txt /x\n",
        )
        .file("a.txt", "a\n")
        .fails(),
        Case::new(
            "chown-by-number-without-users",
            "FROM scratch\nCOPY --chown=1:2 a.txt /x/y\nADD --chown=3:4 a.txt /z\n",
        )
        .file("a.txt", "a\n"),
        Case::new(
            "users-of-this-build",
            "FROM scratch\nCOPY passwd group /etc/\nCOPY --chown=mine:ours a.txt /x\nCOPY --chown=mine a.txt /y\n",
        )
        .file("passwd", "mine:x:77:88::/:/bin/sh\n")
        .file("group", "ours:x:99:\n")
        .file("a.txt", "a\n"),
        Case::new(
            "user-does-not-own",
            "FROM %rich%\nUSER app\nCOPY a.txt /x\nADD a.txt /home/app/y\nWORKDIR /made/by/user\n",
        )
        .file("a.txt", "a\n"),
        tree(Case::new(
            "chmod-octal",
            "FROM %rich%\nCOPY --chmod=640 d /all/\nCOPY --chmod=0755 d/a.txt /x\nADD --chmod=4711 d/a.txt /deep/er/y\n",
        ))
        .judged_by(Builder::Buildah),
        tree(Case::new(
            "chmod-and-chown",
            "FROM %rich%\nCOPY --chmod=2750 --chown=app:staff d /all\n",
        ))
        .judged_by(Builder::Buildah),
    ]
}
