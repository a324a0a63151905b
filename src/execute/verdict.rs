//! How a container that has ended did.

use super::Status;

/// What is known of a container that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    /// The status its main program ended with, where it is known.
    pub exit_code: Option<i64>,
    /// Whether a process in it was killed because the container used all of its memory.
    pub is_out_of_memory: bool,
    /// Whether it was asked to stop.
    pub is_stopped: bool,
}

/// Says how it did. Success is proved, never assumed: it takes the program's own status, and nobody who stopped it.
#[must_use]
pub fn verdict(ending: Ending) -> Status {
    match ending.exit_code {
        None => Status::Unknown,
        // Even a status of 0: a program that is stopped between two scripts may well call that success.
        Some(_) if ending.is_stopped => Status::Interrupted,
        // A process besides the main one may have been killed, and the main one may have coped with that.
        Some(0) => Status::Succeeded,
        Some(_) if ending.is_out_of_memory => Status::OutOfMemory,
        Some(_) => Status::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ending_has_its_status() {
        for (exit_code, is_out_of_memory, is_stopped, status) in [
            (Some(0), false, false, Status::Succeeded),
            (Some(0), true, false, Status::Succeeded),
            (Some(1), false, false, Status::Failed),
            (Some(127), false, false, Status::Failed),
            (Some(137), false, false, Status::Failed),
            (Some(137), true, false, Status::OutOfMemory),
            (Some(1), true, false, Status::OutOfMemory),
            (Some(143), false, true, Status::Interrupted),
            (Some(0), false, true, Status::Interrupted),
            (Some(137), true, true, Status::Interrupted),
            (None, false, false, Status::Unknown),
            (None, true, true, Status::Unknown),
        ] {
            let ending = Ending {
                exit_code,
                is_out_of_memory,
                is_stopped,
            };
            assert_eq!(verdict(ending), status, "{ending:?}");
        }
    }
}
