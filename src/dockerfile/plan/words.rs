//! Words that mean something in a config: ports and signals.

use crate::dockerfile::error::Problem;

/// Ports one word may name: `0-65535` for each protocol is all there is.
const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
/// Signals of Linux by name, without `SIG`.
const SIGNALS: [&str; 35] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
    "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
    "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN",
];
/// The largest number of a signal.
const LAST_SIGNAL: u32 = 64;

/// The ports a word of `EXPOSE` names: `80`, `80/udp`, `8000-8010/tcp`.
pub(super) fn ports(text: &str) -> Result<Vec<String>, Problem> {
    let wrong = || {
        Problem::syntax_with(
            format!("{text:?} is no port"),
            "write a port or a range of them, such as 8080, 53/udp or 8000-8010/tcp",
        )
    };
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    // `address:port:port` is what `docker run` publishes; the last one is the container's.
    let range = range.rsplit(':').next().unwrap_or(range);
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
        return Err(wrong());
    };
    if first > last || !PROTOCOLS.contains(&protocol.as_str()) {
        return Err(wrong());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

/// A signal by name or number, as it is written.
pub(super) fn signal(text: String) -> Result<String, Problem> {
    let is_number = text
        .parse::<u32>()
        .is_ok_and(|number| (1..=LAST_SIGNAL).contains(&number));
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let is_real_time = name.strip_prefix("RTMIN+").or_else(|| name.strip_prefix("RTMAX-"));
    let is_real_time = is_real_time.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number <= 30));
    if is_number || is_real_time || name == "RTMAX" || SIGNALS.contains(&name) {
        return Ok(text);
    }
    Err(Problem::syntax_with(
        format!("{text:?} is no signal"),
        "write its name or number, such as SIGTERM or 15",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ranges_are_read() {
        assert_eq!(ports("80").expect("port"), ["80/tcp"]);
        assert_eq!(ports("53/UDP").expect("port"), ["53/udp"]);
        assert_eq!(ports("7-9/sctp").expect("range"), ["7/sctp", "8/sctp", "9/sctp"]);
        for wrong in ["", "x", "80/http", "9-7", "70000", "-1", "1-", "80/"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn signals_go_by_name_or_number() {
        for text in ["SIGTERM", "term", "9", "SIGRTMIN+3", "RTMAX-1"] {
            assert_eq!(signal(text.to_owned()).expect(text), text);
        }
        for wrong in ["", "0", "65", "SIGNOTHING", "RTMIN+99"] {
            assert!(signal(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
