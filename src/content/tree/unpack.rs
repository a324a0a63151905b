//! Decompression that ends in an error rather than in a full disk.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::oci::media_type::Compression;

/// What anything may unpack to, however small it is: a script of a gigabyte, well compressible, must pass.
const LIMIT_BASE: u64 = 2 * 1024 * 1024 * 1024;
/// How many times its compressed size it may unpack to beyond that. Deflate reaches 1032 on zeros; file systems of real
/// images stay below 10.
const LIMIT_RATIO: u64 = 100;
/// What anything may unpack to at most, ten times the largest images in use.
const LIMIT_TOP: u64 = 256 * 1024 * 1024 * 1024;
/// Largest window of a zstd frame. Writers of layers use up to 32 MiB; the decoder holds the window in memory.
const WINDOW_LIMIT: u64 = 64 * 1024 * 1024;
/// Size of the pieces compressed bytes are read in.
const PIECE: usize = 64 * 1024;

/// How many bytes `compressed` bytes may become.
pub(crate) fn limit(compressed: u64) -> u64 {
    compressed
        .saturating_mul(LIMIT_RATIO)
        .saturating_add(LIMIT_BASE)
        .min(LIMIT_TOP)
}

/// Reads what `reader` yields, decompressed as its first bytes tell, and fails after `limit` bytes.
///
/// # Errors
/// When the reader fails.
pub(crate) fn unpack<'a>(mut reader: impl Read + 'a, limit: u64) -> io::Result<(Compression, Box<dyn Read + 'a>)> {
    let mut first = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut first)?;
    let compression = Compression::detect(&first);
    let whole = BufReader::with_capacity(PIECE, Cursor::new(first).chain(reader));
    let unpacked: Box<dyn Read + 'a> = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(Bounded::new(MultiGzDecoder::new(whole), limit)),
        Compression::Zstd => Box::new(BufReader::new(Bounded::new(Frames::new(whole), limit))),
    };
    Ok((compression, unpacked))
}

/// Whether an error says that the bytes are wrong, rather than that they cannot be read.
pub(crate) fn is_malformed(error: &io::Error) -> bool {
    // The gzip decoder calls its input invalid, not its data.
    matches!(
        error.kind(),
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
    )
}

struct Bounded<R> {
    reader: R,
    limit: u64,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(reader: R, limit: u64) -> Self {
        Self {
            reader,
            limit,
            left: limit,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            let why = format!(
                "it unpacks to more than {} bytes, like a decompression bomb",
                self.limit
            );
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        };
        self.left = left;
        Ok(read)
    }
}

/// The content of all zstd frames, one after another: `zstd:chunked` layers are many, some of which are to be skipped.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_LIMIT);
        Self { source, decoder }
    }

    /// Starts the next frame; `false` when there is none.
    fn start(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::new(ErrorKind::InvalidData, error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                if !self.start()? {
                    return Ok(0);
                }
            } else {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            }
        }
        self.decoder.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("gzip");
        encoder.finish().expect("gzip")
    }

    fn read(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        unpack(bytes, limit)?.1.read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    #[test]
    fn members_and_frames_are_put_together() {
        let gzipped = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read(&gzipped, 7).expect("gzip"), b"one two");
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let frames = [frame("one "), skippable.clone(), frame("two"), skippable].concat();
        assert_eq!(read(&frames, 7).expect("zstd"), b"one two");
        assert_eq!(read(b"plain", 1).expect("plain"), b"plain");
        assert_eq!(read(b"", 0).expect("empty"), b"");
    }

    #[test]
    fn what_unpacks_to_too_much_is_an_error() {
        let zeros = vec![0; 100_000];
        let frame = compress_to_vec(&zeros[..], CompressionLevel::Fastest);
        for bomb in [gzip(&zeros), frame] {
            let error = read(&bomb, 99_999).expect_err("bomb");
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains("bomb"), "{error}");
            assert_eq!(read(&bomb, 100_000).expect("just right"), zeros);
        }
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        let whole = gzip(&(0..100_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
        assert!(read(&whole[..whole.len() / 2], u64::MAX).is_err());
        assert_eq!(limit(10), LIMIT_BASE + 1000);
        assert_eq!(limit(u64::MAX), LIMIT_TOP);
    }
}
