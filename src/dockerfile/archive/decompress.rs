//! The compressions Docker knows, by the first bytes.

use std::io::{self, BufReader, Cursor, Read};

use crate::content::tree::unpack;

/// What a file compressed with xz begins with.
const XZ: &[u8] = b"\xfd7zXZ\0";
/// What a file compressed with bzip2 begins with; a digit follows, for the size of its blocks.
const BZIP2: &[u8] = b"BZh";
/// What unpacking xz may take of the memory: its strongest preset takes 65 MiB.
const XZ_MEMORY_KIB: u32 = 72 * 1024;
/// Size of the pieces compressed bytes are read in.
const PIECE: usize = 64 * 1024;

/// Reads what `reader` yields, decompressed as its first bytes tell.
///
/// # Errors
/// When the reader fails.
pub(in crate::dockerfile) fn open<'a>(mut reader: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut first = Vec::with_capacity(XZ.len());
    reader.by_ref().take(XZ.len() as u64).read_to_end(&mut first)?;
    let is_xz = first == XZ;
    let is_bzip2 = first.starts_with(BZIP2) && first.get(BZIP2.len()).is_some_and(u8::is_ascii_digit);
    let whole = Cursor::new(first).chain(reader);
    if is_xz {
        let whole = BufReader::with_capacity(PIECE, whole);
        let unpacked = lzma_rust2::XzReader::new_mem_limit(whole, true, XZ_MEMORY_KIB);
        return Ok(Box::new(BufReader::new(unpacked)));
    }
    if is_bzip2 {
        let whole = BufReader::with_capacity(PIECE, whole);
        return Ok(Box::new(BufReader::new(bzip2::bufread::MultiBzDecoder::new(whole))));
    }
    // Whoever asks measures what comes out.
    Ok(unpack::unpack(whole, u64::MAX)?.1)
}
