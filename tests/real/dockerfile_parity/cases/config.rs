//! Instructions that change how the image runs.

use super::super::case::Case;

pub(in super::super) fn cases() -> Vec<Case> {
    let case = |name, text| Case::new(name, text).file("a.txt", "a\n");
    vec![
        case(
            "env-forms",
            "FROM scratch\nENV ONE two  three\nENV A=1 B=\"x y\" C=it\\ is D='$A' E=\"$A\" F=a\\\"b G=\\$A H=\nENV LAST \"quoted words\" and more\n",
        ),
        case(
            "env-refers-to-earlier",
            "FROM %rich%\nENV A=1\nENV A=2 B=$A C=${A}x\nENV PATH=/new:$PATH BASE=${BASE}er\nENV NOTHING=$UNKNOWN\n",
        ),
        case(
            "env-keeps-its-place",
            "FROM %configured%\nENV SECOND=changed NEW=1 FIRST=also\n",
        ),
        case(
            "labels",
            "FROM %configured%\nLABEL one=1 \"two words\"=\"a value\" multi=\"line \\\n  goes on\"\nLABEL of=me quoted=\"say \\\"hi\\\"\" dollar=\\$x single='$FIRST' env=$FIRST\nLABEL old style value\n",
        ),
        case(
            "expose",
            "FROM scratch\nARG PORT=9999\nEXPOSE 80 8080/udp 9000-9003/tcp 53/TCP\nEXPOSE $PORT\nEXPOSE 7000-7001/udp\n",
        ),
        case("expose-nonsense", "FROM scratch\nEXPOSE eighty\n").fails(),
        case(
            "volumes",
            "FROM %rich%\nENV V=/from/env\nVOLUME /one /two\nVOLUME [\"/three\", \"/four five\"]\nVOLUME $V\nVOLUME /srv/shared\n",
        ),
        case(
            "users",
            "FROM %configured%\nENV U=app G=staff\nUSER 12:34\nUSER ${U}:$G\n",
        ),
        case(
            "commands",
            "FROM scratch\nCMD echo $HOME && exit\nENTRYPOINT [\"/bin/x\", \"a b\", \"$NOT\"]\nCMD [\"one\", \"two\"]\n",
        ),
        case(
            "commands-in-shell-form",
            "FROM %rich%\nENTRYPOINT exec   top -b \\\n  -n 1\nCMD echo \"a  b\"\n",
        ),
        case(
            "entrypoint-takes-the-bases-command",
            "FROM %configured%\nENTRYPOINT [\"/new\"]\n",
        ),
        case(
            "entrypoint-leaves-an-earlier-command",
            "FROM %configured%\nCMD [\"mine\"]\nENTRYPOINT [\"/new\"]\n",
        ),
        case("entrypoint-empty", "FROM %configured%\nENTRYPOINT []\n"),
        case("command-empty", "FROM %configured%\nCMD []\n"),
        case("command-that-looks-like-json", "FROM scratch\nCMD ['a', 'b']\n"),
        case(
            "shell",
            "FROM scratch\nCMD before\nSHELL [\"/bin/bash\", \"-euo\", \"pipefail\", \"-c\"]\nENTRYPOINT after it\nHEALTHCHECK CMD check it\n",
        ),
        case("shell-of-the-base", "FROM %configured%\nCMD run this\n"),
        case(
            "healthcheck",
            "FROM scratch\nHEALTHCHECK --interval=1m30s --timeout=5s --start-period=2m --retries=7 CMD [\"/check\", \"it\"]\n",
        ),
        case(
            "healthcheck-shell",
            "FROM scratch\nHEALTHCHECK --interval=500ms CMD curl -f http://localhost/ || exit 1\n",
        ),
        case("healthcheck-none", "FROM %configured%\nHEALTHCHECK NONE\n"),
        case(
            "healthcheck-replaced",
            "FROM %configured%\nHEALTHCHECK --timeout=1h CMD [\"other\"]\n",
        ),
        case("stop-signal", "FROM %configured%\nARG S=SIGUSR1\nSTOPSIGNAL $S\n"),
        case("stop-signal-number", "FROM scratch\nSTOPSIGNAL 9\n"),
        case("stop-signal-unknown", "FROM scratch\nSTOPSIGNAL SIGNOTHING\n").fails(),
        case(
            "onbuild-recorded",
            "FROM scratch\nENV A=1\nONBUILD COPY . /app\nONBUILD RUN make $A\nONBUILD ENV B=$A\n  onbuild   label x=y\n",
        ),
        case("onbuild-of-onbuild", "FROM scratch\nONBUILD ONBUILD ENV A=1\n").fails(),
        case("onbuild-from", "FROM scratch\nONBUILD FROM scratch\n").fails(),
        case(
            "maintainer",
            "FROM scratch\nMAINTAINER Somebody <some@example.com>\nLABEL maintainer=other\n",
        ),
        case("all-of-the-base", "FROM %configured%\nCOPY a.txt /a.txt\n"),
        case(
            "two-commands",
            "FROM scratch\nCMD [\"first\"]\nCMD [\"second\"]\nENTRYPOINT [\"x\"]\nENTRYPOINT [\"y\"]\n",
        ),
        case(
            "platform-of-the-base",
            "FROM --platform=linux/arm64 %arm%\nCOPY a.txt /arm/\n",
        ),
    ]
}

/// `WORKDIR`, which makes directories.
pub(in super::super) fn workdir() -> Vec<Case> {
    let case = |name, text| Case::new(name, text).file("a.txt", "a\n");
    vec![
        case(
            "workdir-relative",
            "FROM scratch\nWORKDIR /a\nWORKDIR b/c\nWORKDIR ../d\nCOPY a.txt .\n",
        ),
        case(
            "workdir-relative-to-the-base",
            "FROM %configured%\nWORKDIR inner\nWORKDIR ./deeper/\n",
        ),
        case(
            "workdir-with-variables",
            "FROM scratch\nARG A=one\nENV B=/two\nWORKDIR $B/${A}\nWORKDIR ${C:-three}\n",
        ),
        case(
            "workdir-below-links",
            "FROM %rich%\nWORKDIR /lib/made\nCOPY a.txt .\nWORKDIR /srv/to-to-shared/inner/deep\nCOPY a.txt ./x/\n",
        ),
        case(
            "workdir-is-a-link",
            "FROM %rich%\nWORKDIR /srv/to-shared\nCOPY a.txt .\n",
        ),
        case(
            "workdir-there-already",
            "FROM %rich%\nWORKDIR /home/app\nWORKDIR /tmp\nWORKDIR /\n",
        ),
        case(
            "workdir-odd-paths",
            "FROM scratch\nWORKDIR /a//b/./c/\nWORKDIR /x/../y\nWORKDIR \"/with space\"\n",
        ),
        case("workdir-is-a-file", "FROM %rich%\nWORKDIR /etc/settings\n").fails(),
        case(
            "workdir-by-user",
            "FROM %configured%\nWORKDIR /users/own\nUSER root\nWORKDIR /roots/own\n",
        ),
    ]
}
