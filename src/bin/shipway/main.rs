//! The command: parse, settle, run, report, exit.

mod args;
mod commands;
mod environment;
mod failure;
mod interrupt;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod listener;
mod places;
mod printer;
mod progress;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod relay;
mod results;
mod settings;
mod tag_template;

use std::process::ExitCode;

use args::Arguments;
use environment::Environment;
use failure::Exit;
use printer::Printer;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => return printer::usage(&error),
    };
    let environment = Environment::read();
    #[cfg(all(feature = "aws", unix))]
    environment.without_empty_of_aws();
    let printer = Printer::new(&arguments.global, &environment);
    match commands::run(arguments, &environment, &printer) {
        Ok(()) => Exit::Done.code(),
        Err(error) => failure::report(&error, &printer).code(),
    }
}
