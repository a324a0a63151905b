//! Paths as Liquibase writes them.

/// A path below the search path: without scheme, without `.` and `..`, with `/` between names.
pub(super) fn normal(path: &str) -> String {
    let path = path.strip_prefix("classpath:").unwrap_or(path).replace('\\', "/");
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

/// A path below a folder; absolute if the folder is.
pub(super) fn join(folder: &str, path: &str) -> String {
    let joined = normal(&format!("{folder}/{path}"));
    match folder.starts_with('/') {
        true => format!("/{joined}"),
        false => joined,
    }
}

/// The folder of a file; empty at the top.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
