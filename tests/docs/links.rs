//! Links within the documentation lead somewhere.

use crate::page::{Page, pages, root};

/// Catches a link to a page or a heading that is not there.
#[test]
fn links_resolve() {
    let mut count = 0;
    for page in pages() {
        for target in targets(&page.text) {
            if target.contains("://") {
                assert!(target.starts_with("https://"), "{}: {target}", page.path.display());
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => page.path.clone(),
                _ => page.path.parent().unwrap().join(path),
            };
            assert!(root().join(&file).exists(), "{}: no file {path}", page.path.display());
            if !anchor.is_empty() {
                let there = Page::named(file.to_str().unwrap());
                let anchors: Vec<String> = headings(&there).iter().map(|heading| anchor_of(heading)).collect();
                assert!(
                    anchors.iter().any(|known| known == anchor),
                    "{}: no heading {target}",
                    page.path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 10, "only {count} links were found");
}

/// Catches a page that nobody finds.
#[test]
fn every_page_is_linked_from_the_readme_or_contributing() {
    let text = crate::page::read("README.md") + &crate::page::read("CONTRIBUTING.md");
    let linked: Vec<&str> = targets(&text).collect();
    for page in pages().iter().filter(|page| !page.path.ends_with("README.md")) {
        let path = page.path.to_str().unwrap();
        let is_named = linked.iter().any(|target| target.split('#').next() == Some(path)) || text.contains(path);
        assert!(is_named, "{path}");
    }
}

/// What the links of a text lead to.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

fn headings(page: &Page) -> Vec<&str> {
    let mut in_code = false;
    let lines = page.text.lines().filter(move |line| {
        in_code ^= line.starts_with("```");
        !in_code && line.starts_with('#')
    });
    lines.map(|line| line.trim_start_matches('#').trim()).collect()
}

/// The anchor that GitHub and GitLab give a heading.
fn anchor_of(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
