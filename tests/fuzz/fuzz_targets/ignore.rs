//! Ignore files, patterns and modes: the first line is a path, the rest is what it is compared with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shipway::dockerfile::pattern::Pattern;
use shipway::dockerfile::{MemoryTree, Mode, Rules, SelectOptions, select};
use shipway::oci::Attributes;
use shipway::recipe::{Entry, FileContent, ImagePath};

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (path, rest) = (String::from_utf8_lossy(&input[..end]), &input[end..]);
    let text = String::from_utf8_lossy(rest);
    for pattern in [Pattern::of_source(&text), Pattern::of_rule(&text)].into_iter().flatten() {
        let is_match = path.rsplit_once('/').is_some() && pattern.matches(&path);
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        assert!(!is_match || pattern.may_match_below(directory) || path.ends_with('/'), "{path} fits, nothing below {directory}");
    }
    if let Ok(mode) = text.trim().parse::<Mode>() {
        assert!(mode.apply(0o644, false) <= 0o7777);
    }
    let Ok(rules) = Rules::of_file("ignore", rest) else { return };
    for (end, _) in path.match_indices('/') {
        let directory = &path[..end];
        let is_spared = rules.fit(directory) && !rules.fit(&path);
        assert!(!is_spared || rules.may_spare_below(directory), "{path} is spared below {directory}");
    }
    let Ok(place) = format!("/{path}").parse::<ImagePath>() else { return };
    let tree = MemoryTree::new([Entry::new(place, FileContent::Directory, Attributes::PLAIN)]);
    for parents in [false, true] {
        let options = SelectOptions {
            parents,
            exclude: Some(&rules),
        };
        let _ = select(&tree, &text, options);
    }
});
