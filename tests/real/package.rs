//! The program as the package of a function of Lambda.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::parts::{output, program};
use crate::pipeline::source;

/// The program without what a debugger wants: a build for tests is many times as large as Lambda allows with it.
fn stripped() -> &'static Path {
    static STRIPPED: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, stripped) = STRIPPED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let stripped = folder.path().join("shipway");
        output(Command::new("strip").arg("-o").arg(&stripped).arg(program()));
        (folder, stripped)
    });
    stripped
}

fn pack(words: &[&str], package: &Path) -> Output {
    let mut pack = Command::new("bash");
    pack.arg(source("ci/lambda.sh")).arg("--program").arg(stripped());
    pack.args(words).arg(package).output().expect("bash starts")
}

/// The function's package, as `ci/lambda.sh` makes it.
pub(crate) fn function_package() -> &'static Path {
    static PACKAGE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, package) = PACKAGE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let package = folder.path().join("function.zip");
        let packed = pack(&[], &package);
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
        (folder, package)
    });
    package
}

/// Catches a package that Lambda cannot start, that differs from one time to the next, or that is for another processor.
#[test]
#[ignore = "needs python3 and binutils: ci/test.sh"]
fn a_package_holds_the_program_and_is_always_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let again = folder.path().join("again.zip");
    let packed = pack(&["--architecture", "x86_64"], &again);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    assert!(
        fs::read(&again).expect("it is there") == fs::read(function_package()).expect("it is there"),
        "the same bytes"
    );

    let script = "import sys, zipfile; [print(i.filename, oct(i.external_attr >> 16), i.file_size) for i in zipfile.ZipFile(sys.argv[1]).infolist()]";
    let listed = output(Command::new("python3").args(["-c", script]).arg(&again));
    let size = fs::metadata(stripped()).expect("it is there").len();
    assert_eq!(listed, format!("bootstrap 0o100755 {size}\n"));

    let other = folder.path().join("other.zip");
    let refused = pack(&["--architecture", "arm64"], &other);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("not a program for arm64"), "{said}");
    assert!(!other.exists(), "half a package is left behind");
    let misspelt = pack(&["--architecture", "x86-64"], &other);
    assert_eq!(misspelt.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&misspelt.stderr).contains("usage: ci/lambda.sh"));
}
