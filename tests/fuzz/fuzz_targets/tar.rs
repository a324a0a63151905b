//! Archives, as `ADD` unpacks them and as build contexts.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use shipway::dockerfile::archive::unpack;
use shipway::dockerfile::{Context, MemoryTree, SelectOptions, select};
use shipway::recipe::{FileContent, Stored};

/// Size of a tar block.
const BLOCK: usize = 512;

fuzz_target!(|input: &[u8]| {
    look(input);
    look(&repaired(input));
});

fn look(bytes: &[u8]) {
    // No folder for temporary files: what would need one is an error.
    let nowhere = Path::new("/does/not/exist");
    let content = FileContent::Stored(Stored::Memory(bytes.to_vec().into()));
    if let Ok(Some(entries)) = unpack("input", &content, nowhere) {
        for entry in &entries {
            let mut parts = entry.path.relative().split('/');
            assert!(!parts.any(|part| matches!(part, "" | "." | "..") || part.starts_with(".wh.")));
        }
        let _ = select(&MemoryTree::new(entries), "*", SelectOptions::default());
    }
    if let Ok(context) = Context::tar_stream("input", bytes, false, nowhere) {
        let Ok(context) = context.ignoring(None) else { return };
        for source in ["/", "*", "*/*", "a/../b"] {
            let _ = select(&context, source, SelectOptions::default());
        }
    }
}

/// The bytes with checksums that are right, which no fuzzer finds by chance.
fn repaired(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for block in bytes.chunks_exact_mut(BLOCK) {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}
