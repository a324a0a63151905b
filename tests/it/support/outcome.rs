//! What a run of the command left: status, output, and the memory it took.

use std::io::{Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No run takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(240);

/// A finished run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit status; none if a signal ended the process.
    pub(crate) status: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The most memory the process had of its own, in kilobytes, as far as it was seen.
    pub(crate) peak_kilobytes: u64,
}

/// A run that is under way.
pub(crate) struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
    /// What came so far, of both.
    #[cfg(feature = "aws")]
    seen: Arc<Mutex<Vec<u8>>>,
    peak_kilobytes: u64,
}

impl Running {
    /// Starts the command and hands it its standard input.
    pub(crate) fn start(command: &mut Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // One that fails early may never read it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let seen = Arc::default();
        Self {
            stdout: collect(child.stdout.take().unwrap(), &seen),
            stderr: collect(child.stderr.take().unwrap(), &seen),
            #[cfg(feature = "aws")]
            seen,
            child,
            peak_kilobytes: 0,
        }
    }

    /// Whether it has printed this already.
    #[cfg(feature = "aws")]
    pub(crate) fn has_printed(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).contains(text)
    }

    /// Sends a signal: `INT` or `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success(), "{command}");
    }

    /// Waits for the end, and watches the memory meanwhile.
    pub(crate) fn wait(mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut hung = false;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            self.peak_kilobytes = self.peak_kilobytes.max(peak_kilobytes(self.child.id()));
            if Instant::now() > deadline && !hung {
                hung = true;
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(3));
        };
        let outcome = self.finish(status);
        assert!(!hung, "the command hung: {outcome:#?}");
        outcome
    }

    fn finish(self, status: ExitStatus) -> Outcome {
        Outcome {
            status: status.code(),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
            peak_kilobytes: self.peak_kilobytes,
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static, seen: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<String> {
    let seen = Arc::clone(seen);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut piece) {
            bytes.extend_from_slice(&piece[..length]);
            seen.lock().unwrap().extend_from_slice(&piece[..length]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The high-water mark of a process's resident memory, as Linux keeps it, but for what is mapped of its file: a build for tests is
/// many times as large as the released program.
fn peak_kilobytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.unwrap_or_default();
    let number = |name| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    number("VmHWM:").saturating_sub(number("RssFile:"))
}

impl Outcome {
    /// Fails the test unless the status is 0.
    pub(crate) fn succeeded(self) -> Self {
        self.exited(0)
    }

    /// Fails the test unless the status is `status`; a failure must print an error.
    pub(crate) fn exited(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        if status != 0 {
            assert!(self.stderr.contains("error: "), "no error line: {self:#?}");
            assert!(!self.stderr.contains("panicked"), "{self:#?}");
        }
        self
    }

    /// Fails the test unless the command failed with an error of its own.
    pub(crate) fn failed(self) -> Self {
        let status = self.status.unwrap_or_else(|| panic!("ended by a signal: {self:#?}"));
        assert_ne!(status, 0, "{self:#?}");
        self.exited(status)
    }

    /// All that was printed.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails the test unless standard error contains each word, whatever its case.
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let text = self.stderr.to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "{word:?} is not said: {self:#?}");
        }
        self
    }

    /// Fails the test unless each text is printed, wherever and as it is.
    #[cfg(feature = "aws")]
    pub(crate) fn shows(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.text().contains(text), "{text:?} is not shown: {self:#?}");
        }
        self
    }

    /// Fails the test unless standard error contains one of the words, whatever its case.
    pub(crate) fn says_one_of(self, words: &[&str]) -> Self {
        let text = self.stderr.to_lowercase();
        let said = words.iter().any(|word| text.contains(&word.to_lowercase()));
        assert!(said, "none of {words:?} is said: {self:#?}");
        self
    }

    /// Fails the test unless there is a hint, and standard output is empty.
    pub(crate) fn hints(self) -> Self {
        let hint = self.stderr.lines().any(|line| line.starts_with("hint: "));
        assert!(hint, "no hint: {self:#?}");
        assert_eq!(self.stdout, "", "a failure prints no result");
        self
    }

    /// The digest of the only line of standard output.
    pub(crate) fn digest(&self) -> String {
        let lines: Vec<_> = self.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "one line: {self:#?}");
        let start = lines[0].find("sha256:");
        lines[0][start.unwrap_or_else(|| panic!("no digest: {self:#?}"))..].to_owned()
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
