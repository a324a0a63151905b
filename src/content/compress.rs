//! Layers out of tar bytes: hashed, compressed with gzip on all cores, and hashed again, in one pass.
//!
//! The input is cut into blocks of one size, each deflated on its own and ended on a byte boundary, so that the blocks
//! put together are one gzip member. How many threads took part cannot be seen in the result.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::spool::{Spool, SpoolWriter};
use crate::oci::{Digest, Hasher};

/// Bytes deflated as a unit. Part of the format of our layers: another size gives another digest for the same files.
const BLOCK: usize = 256 * 1024;
/// Deflate level. Part of the format as well. SQL text of 512 MB takes the time the design allows at this level, and
/// is smaller than what Go's fastest level makes of it.
const LEVEL: u32 = 2;
/// Most threads that deflate. More would hold more blocks in memory than the promised 40 MB leave room for.
const MOST_WORKERS: usize = 8;
/// No name, no time, no extra flags, unknown operating system: nothing in the header depends on where it was made.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A packed layer.
#[derive(Debug)]
pub struct PackedLayer {
    /// Digest of the compressed bytes.
    pub digest: Digest,
    /// Digest of the tar bytes.
    pub diff_id: Digest,
    /// Number of compressed bytes.
    pub size: u64,
    /// The compressed bytes.
    pub spool: Spool,
}

/// Takes the tar bytes of a layer.
#[derive(Debug)]
pub struct LayerWriter {
    block: Vec<u8>,
    pipeline: Option<Pipeline>,
    output: Output,
}

impl LayerWriter {
    /// Starts a layer whose temporary file, should it need one, lies in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            block: Vec::new(),
            pipeline: None,
            output: Output {
                spool: SpoolWriter::new(folder),
                hasher: Hasher::new(),
                checksum: crc32fast::Hasher::new(),
                size: 0,
                length: 0,
            },
        }
    }

    /// Ends the layer.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn finish(mut self) -> io::Result<PackedLayer> {
        let block = std::mem::take(&mut self.block);
        let diff_id = match self.pipeline.take() {
            Some(mut pipeline) => {
                pipeline.submit(block, FlushCompress::Finish, &mut self.output)?;
                pipeline.finish(&mut self.output)?
            }
            None => {
                self.output
                    .take(deflate(&mut compressor(), &block, FlushCompress::Finish)?)?;
                Digest::of(&block)
            }
        };
        self.output.finish(diff_id)
    }
}

impl Write for LayerWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            let full = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
            let pipeline = match &mut self.pipeline {
                Some(pipeline) => pipeline,
                none => none.insert(Pipeline::start()?),
            };
            pipeline.submit(full, FlushCompress::Sync, &mut self.output)?;
        }
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A deflated block, and what the whole needs to know of its input.
struct Deflated {
    bytes: Vec<u8>,
    checksum: crc32fast::Hasher,
    length: u64,
}

fn compressor() -> Compress {
    Compress::new(Compression::new(LEVEL), false)
}

fn deflate(compress: &mut Compress, block: &[u8], flush: FlushCompress) -> io::Result<Deflated> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(block);
    compress.reset();
    let mut bytes = Vec::with_capacity(block.len() / 4 + 1024);
    loop {
        let consumed = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
        let status = compress.compress_vec(&block[consumed..], &mut bytes, flush)?;
        let all_in = compress.total_in() == block.len() as u64;
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            // A flush is complete when the deflater left room in the buffer.
            _ => all_in && bytes.len() < bytes.capacity(),
        };
        if done {
            break;
        }
        bytes.reserve(block.len() / 4 + 1024);
    }
    Ok(Deflated {
        bytes,
        checksum,
        length: block.len() as u64,
    })
}

/// Where deflated blocks go, in order.
#[derive(Debug)]
struct Output {
    spool: SpoolWriter,
    hasher: Hasher,
    checksum: crc32fast::Hasher,
    size: u64,
    length: u64,
}

impl Output {
    fn take(&mut self, block: Deflated) -> io::Result<()> {
        if self.size == 0 {
            self.write(&GZIP_HEADER)?;
        }
        self.checksum.combine(&block.checksum);
        self.length += block.length;
        self.write(&block.bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.spool.write_all(bytes)
    }

    fn finish(mut self, diff_id: Digest) -> io::Result<PackedLayer> {
        let checksum = self.checksum.clone().finalize();
        self.write(&checksum.to_le_bytes())?;
        // The length field counts modulo 2^32 (RFC 1952).
        let length = (self.length & u64::from(u32::MAX)) as u32;
        self.write(&length.to_le_bytes())?;
        Ok(PackedLayer {
            digest: self.hasher.finish(),
            diff_id,
            size: self.size,
            spool: self.spool.finish(),
        })
    }
}

type Reply = Receiver<io::Result<Deflated>>;

struct Job {
    block: Arc<Vec<u8>>,
    flush: FlushCompress,
    reply: SyncSender<io::Result<Deflated>>,
}

/// Threads that deflate and one that hashes; started only for layers of more than one block.
#[derive(Debug)]
struct Pipeline {
    jobs: SyncSender<Job>,
    hashing: SyncSender<Arc<Vec<u8>>>,
    hasher: JoinHandle<Digest>,
    waiting: VecDeque<Reply>,
    most_waiting: usize,
}

impl Pipeline {
    fn start() -> io::Result<Self> {
        let workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_WORKERS);
        let most_waiting = workers + 2;
        let (jobs, queue) = sync_channel::<Job>(most_waiting);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("deflate".to_owned()).spawn(move || {
                let mut compress = compressor();
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // Nobody waits for the reply when the layer was given up.
                    let _ = job.reply.send(deflate(&mut compress, &job.block, job.flush));
                }
            })?;
        }
        let (hashing, blocks) = sync_channel::<Arc<Vec<u8>>>(2);
        let hasher = std::thread::Builder::new().name("hash".to_owned()).spawn(move || {
            let mut hasher = Hasher::new();
            while let Ok(block) = blocks.recv() {
                hasher.update(&block);
            }
            hasher.finish()
        })?;
        Ok(Self {
            jobs,
            hashing,
            hasher,
            waiting: VecDeque::new(),
            most_waiting,
        })
    }

    fn submit(&mut self, block: Vec<u8>, flush: FlushCompress, output: &mut Output) -> io::Result<()> {
        while self.waiting.len() >= self.most_waiting {
            self.receive(output)?;
        }
        let block = Arc::new(block);
        let (reply, result) = sync_channel(1);
        let job = Job {
            block: Arc::clone(&block),
            flush,
            reply,
        };
        self.jobs.send(job).map_err(io::Error::other)?;
        self.hashing.send(block).map_err(io::Error::other)?;
        self.waiting.push_back(result);
        Ok(())
    }

    fn receive(&mut self, output: &mut Output) -> io::Result<()> {
        match self.waiting.pop_front() {
            Some(reply) => output.take(reply.recv().map_err(io::Error::other)??),
            None => Ok(()),
        }
    }

    fn finish(mut self, output: &mut Output) -> io::Result<Digest> {
        while !self.waiting.is_empty() {
            self.receive(output)?;
        }
        drop(self.hashing);
        self.hasher
            .join()
            .map_err(|_| io::Error::other("the hashing thread ended early"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::content::verify::collect;

    fn pack(bytes: &[u8]) -> PackedLayer {
        let folder = tempfile::tempdir().expect("folder");
        let mut writer = LayerWriter::new(folder.path());
        for piece in bytes.chunks(77_777) {
            writer.write_all(piece).expect("write");
        }
        writer.finish().expect("finish")
    }

    fn text(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"select insert into;\n"[(state >> 24) as usize % 20]
            })
            .collect()
    }

    #[tokio::test]
    async fn any_gzip_reader_gets_the_bytes_back() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3] {
            let bytes = text(length);
            let packed = pack(&bytes);
            assert_eq!(packed.diff_id, Digest::of(&bytes), "{length}");
            let compressed = collect(Arc::new(packed.spool).open(), packed.size).await.expect("read");
            assert_eq!(packed.size, compressed.len() as u64);
            assert_eq!(packed.digest, Digest::of(&compressed));
            let mut back = Vec::new();
            // One member: a reader that stops after the first gets everything.
            flate2::read::GzDecoder::new(&compressed[..])
                .read_to_end(&mut back)
                .expect("gzip");
            assert_eq!(back, bytes, "{length}");
        }
    }

    #[test]
    fn the_compressor_is_pinned() {
        // These change when the compressor, its level or the block size does; every layer's digest then changes too,
        // which belongs into the changelog.
        assert_eq!(pack(b"").digest.short(12), "ac73670af3ab");
        assert_eq!(pack(&text(3 * BLOCK)).digest.short(12), "c5ac4b801099");
    }
}
