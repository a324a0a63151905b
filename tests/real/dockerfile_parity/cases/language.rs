//! The language: variables, directives, comments, lines.

use super::super::case::Case;

pub(in super::super) fn cases() -> Vec<Case> {
    let case = |name, text| Case::new(name, text).file("a.txt", "a\n");
    vec![
        case(
            "arg-scopes",
            "ARG OUTER=out\nARG BOTH=outer\nFROM scratch AS one\nARG BOTH\nARG INNER=in\nENV A=$OUTER B=$BOTH C=$INNER\nFROM scratch\nENV A=$OUTER B=$BOTH C=$INNER\nARG BOTH=again\nENV D=$BOTH\n",
        ),
        case(
            "arg-scopes-of-a-stage",
            "ARG BOTH=outer\nFROM scratch AS one\nARG BOTH\nARG INNER=in\nENV A=$INNER\nFROM one\nENV B=$BOTH C=$INNER D=$A\n",
        ),
        case(
            "arg-given",
            "ARG A=1\nFROM scratch\nARG A\nARG B=2\nARG C\nARG D\nENV A=$A B=$B C=$C D=\"$D\"\n",
        )
        .options(&["--build-arg", "A=a", "--build-arg", "B=b b", "--build-arg", "C=c=c"]),
        case(
            "arg-refers-to-arg",
            "ARG A=1\nARG B=${A}2\nFROM scratch\nARG B\nARG C=${B}3\nENV C=$C\n",
        ),
        case("arg-several", "FROM scratch\nARG A=1 B=2\nENV X=$A$B\n"),
        case("env-wins-over-arg", "FROM scratch\nARG A=arg\nENV A=env\nENV X=$A\n")
            .options(&["--build-arg", "A=given"]),
        case(
            "arg-after-env",
            "FROM scratch\nARG A=arg\nENV A=env\nARG A=later\nENV Y=$A\n",
        )
        .options(&["--build-arg", "A=given"]),
        case(
            "arg-not-in-the-image",
            "FROM scratch\nARG ONLY_HERE=secretless\nARG HTTP_PROXY\nLABEL x=$ONLY_HERE y=$HTTP_PROXY\n",
        )
        .options(&["--build-arg", "HTTP_PROXY=http://proxy:1"]),
        case(
            "expansion",
            "FROM scratch\nENV A=a E=\nENV B=${A:-x} C=${U:-x} D=${A:+y} F=${U:+y} G=${E:-empty} H=${E:+empty}\nENV I=${U:-${A}b} J=pre${A}post K=$A$A L=\\${A} M='${A}' N=\"${A}\" O=$A.b P=${A}_\n",
        ),
        case("expansion-unclosed", "FROM scratch\nENV A=${B\n").fails(),
        case(
            "escape-directive",
            "# escape=`\nFROM scratch\nENV A=back\\slash B=tick`$C `\n  D=goes` on\nCOPY a.txt `\n  /windows\\\n",
        ),
        case(
            "comments-and-blank-lines",
            "# a comment\n\nFROM scratch\n  # indented\nENV A=1 \\\n# between\n  B=2 \\\n\n  C=3\nENV D=\"# no comment\"\nLABEL x=y\n",
        ),
        case(
            "lines-and-case",
            "from scratch as Stage\n   copy a.txt /x\nEnv A=1\n\tlabel b=c\nCmd [ \"x\" , \"y\" ]\n",
        ),
        case(
            "carriage-returns",
            "FROM scratch\r\nENV A=1 \\\r\n  B=2\r\nCOPY a.txt /x/\r\nCMD [\"z\"]\r\n",
        ),
        case("byte-order-mark", "\u{feff}FROM scratch\nCOPY a.txt /x\n"),
        case("no-newline-at-the-end", "FROM scratch\nCOPY a.txt /x\nCMD run"),
        case("unknown-instruction", "FROM scratch\nCOPPY a.txt /x\n").fails(),
        case("unknown-flag", "FROM scratch\nCOPY --chwon=1 a.txt /x\n").fails(),
        case("before-from", "ENV A=1\nFROM scratch\n").fails(),
        case("no-from", "ARG A=1\n").fails(),
        case("comment-behind-an-instruction", "FROM scratch\nENV A=1 # no comment\n").fails(),
        case("only-from", "FROM %rich%\n"),
        case("no-destination", "FROM scratch\nCOPY a.txt\n").fails(),
        case(
            "predefined-platform",
            "FROM --platform=$BUILDPLATFORM %rich% AS build\nFROM scratch\nARG TARGETPLATFORM\nARG TARGETOS\nARG TARGETARCH\nARG BUILDPLATFORM\nARG BUILDARCH\nARG TARGETVARIANT\nLABEL p=$TARGETPLATFORM o=$TARGETOS a=$TARGETARCH b=$BUILDPLATFORM c=$BUILDARCH v=$TARGETVARIANT\n",
        ),
        case(
            "predefined-platform-not-declared",
            "FROM scratch\nLABEL p=x$TARGETPLATFORM\n",
        ),
    ]
}
