//! Reading a body: bounded in what is read, in what it unpacks to, and in what all checks hold together.
//!
//! At most [`BODY_BYTES`] count, packed or unpacked, whichever comes first; what lies beyond is not read, and is no
//! fault, unless it was packed so tightly that it can only be meant to hurt. A body is kept only as far as somebody asks: whole for assertions on it, its start for evidence, else it is
//! counted and dropped.
//!
//! The memory of all bodies is one [`Budget`]. It has two halves so that nobody waits for memory while holding what the
//! others wait for: a small share is taken first; a large body then takes its one large share, and whoever has that
//! waits for nothing more.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, GzDecoder, ZlibDecoder};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::observation::Excerpt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What is read of one body at most.
pub(crate) const BODY_BYTES: usize = 1 << 20;
/// What is kept of a body that nobody asserts on, for evidence.
pub(crate) const EXCERPT_BYTES: usize = 16 * 1024;

/// Pieces read of one body at most: a thousand chunks of a byte each cost more than one of a thousand.
const MOST_PIECES: usize = BODY_BYTES / 16;
/// Packed bytes are unpacked in pieces of this, so that the ratio is known when the bound is met.
const PIECE_BYTES: usize = 1_024;
/// Beyond the bound and packed tighter than this, a body is a bomb and no page: pages pack 3 to 20 times.
const BOMB_RATIO: usize = 50;

/// Memory that the bodies of all concurrent checks share.
#[derive(Debug)]
pub(crate) struct Budget {
    small: Semaphore,
    large: Semaphore,
}

/// Unit of the small shares.
const SMALL_UNIT: usize = 1_024;

impl Budget {
    /// Half for small shares of up to 16 KiB, half for large ones of 1 MiB; at least one of each.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            small: Semaphore::new((bytes / 2 / SMALL_UNIT).max(EXCERPT_BYTES / SMALL_UNIT)),
            large: Semaphore::new((bytes / 2 / BODY_BYTES).max(1)),
        }
    }

    /// For a body of at most `upper` bytes, where that is known, or for the start of a longer one.
    pub(crate) async fn small(&self, upper: Option<u64>) -> SemaphorePermit<'_> {
        let most = upper.map_or(EXCERPT_BYTES, |upper| upper.min(EXCERPT_BYTES as u64) as usize);
        let units = most.div_ceil(SMALL_UNIT).max(1) as u32;
        self.small.acquire_many(units).await.expect("the budget is never closed")
    }

    pub(crate) async fn large(&self) -> SemaphorePermit<'_> {
        self.large.acquire().await.expect("the budget is never closed")
    }
}

/// Takes a body piece by piece, unpacks it if it is packed, and keeps what is asked for.
#[derive(Debug)]
pub(crate) struct Reader {
    unpack: Unpack,
    received: usize,
    pieces: usize,
}

#[derive(Debug)]
enum Unpack {
    Plain(Kept),
    Gzip(Box<GzDecoder<Kept>>),
    Zlib(Box<ZlibDecoder<Kept>>),
    Deflate(Box<DeflateDecoder<Kept>>),
    /// `deflate` names two formats; the first byte tells which.
    Undecided(Kept),
}

/// What is kept of the unpacked body.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    /// Unpacked bytes seen, kept or not.
    pub(crate) total: usize,
    limit: usize,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} of {} bytes)", self.bytes.len(), self.total)
    }
}

impl Kept {
    fn is_full(&self) -> bool {
        self.total >= BODY_BYTES
    }

    /// True if all that is to be kept has come.
    pub(crate) fn is_enough(&self) -> bool {
        self.bytes.len() >= self.limit
    }

    /// The start of the body as evidence.
    pub(crate) fn excerpt(&self) -> Excerpt {
        let shown = &self.bytes[..self.bytes.len().min(EXCERPT_BYTES)];
        Excerpt { text: String::from_utf8_lossy(shown).into_owned(), truncated: self.total > shown.len() }
    }

    fn take(&mut self, data: &[u8]) -> usize {
        let counted = data.len().min(BODY_BYTES - self.total);
        let kept = counted.min(self.limit.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(&data[..kept]);
        self.total += counted;
        counted
    }
}

impl Write for Kept {
    /// Refuses what is beyond the bound, so that a decoder stops instead of unpacking a bomb to its end.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.is_full() {
            return Err(io::Error::other("the body is longer than what is read of it"));
        }
        Ok(self.take(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// `encoding` is the answer's Content-Encoding; one that we did not ask for is left packed.
    pub(crate) fn new(encoding: Option<&[u8]>, keep: usize) -> Self {
        let kept = Kept { limit: keep, ..Kept::default() };
        let unpack = match encoding.map(<[u8]>::to_ascii_lowercase).as_deref() {
            Some(b"gzip" | b"x-gzip") => Unpack::Gzip(Box::new(GzDecoder::new(kept))),
            Some(b"deflate") => Unpack::Undecided(kept),
            _ => Unpack::Plain(kept),
        };
        Self { unpack, received: 0, pieces: 0 }
    }

    /// Answers whether more is wanted.
    pub(crate) fn push(&mut self, data: &Bytes) -> Result<bool, Cause> {
        self.pieces += 1;
        if data.is_empty() {
            return Ok(self.pieces < MOST_PIECES);
        }
        if matches!(self.unpack, Unpack::Undecided(_)) {
            self.decide(data[0]);
        }
        if let Unpack::Plain(kept) = &mut self.unpack {
            kept.take(data);
            self.received += data.len();
            return Ok(!kept.is_full() && self.pieces < MOST_PIECES);
        }
        for piece in data.chunks(PIECE_BYTES) {
            self.received += piece.len();
            let done = self.unpack(piece);
            if self.kept().is_full() {
                return if self.is_bomb() { Err(self.bomb()) } else { Ok(false) };
            }
            done.map_err(|err| self.broken(&err.to_string()))?;
        }
        Ok(self.received < BODY_BYTES && self.pieces < MOST_PIECES)
    }

    fn unpack(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.unpack {
            Unpack::Plain(kept) | Unpack::Undecided(kept) => kept.write_all(piece),
            Unpack::Gzip(decoder) => decoder.write_all(piece),
            Unpack::Zlib(decoder) => decoder.write_all(piece),
            Unpack::Deflate(decoder) => decoder.write_all(piece),
        }
    }

    fn is_bomb(&self) -> bool {
        self.kept().total / self.received.max(1) >= BOMB_RATIO
    }

    fn bomb(&self) -> Cause {
        let text = format!("the body is a zip bomb: {} bytes unpack to more than 1 MiB", self.received);
        Cause::new(Code::BadBody, text)
    }

    /// True if keeping `more` received bytes may take the body beyond its small share.
    pub(crate) fn outgrows_small(&self, more: usize) -> bool {
        let kept = self.kept();
        let grows = if matches!(self.unpack, Unpack::Plain(_)) { more } else { EXCERPT_BYTES + 1 };
        kept.limit > EXCERPT_BYTES && kept.bytes.len() + grows > EXCERPT_BYTES
    }

    /// Ends a body: `complete` if it came in full.
    pub(crate) fn finish(&mut self, complete: bool) -> Result<Kept, Cause> {
        let ended = match &mut self.unpack {
            Unpack::Plain(_) | Unpack::Undecided(_) => Ok(()),
            Unpack::Gzip(decoder) => decoder.try_finish(),
            Unpack::Zlib(decoder) => decoder.try_finish(),
            Unpack::Deflate(decoder) => decoder.try_finish(),
        };
        match ended {
            Err(err) if complete && self.received > 0 && !self.kept().is_full() => Err(self.broken(&err.to_string())),
            _ => Ok(self.take_kept()),
        }
    }

    fn decide(&mut self, first: u8) {
        const ZLIB_DEFLATE: u8 = 8;
        let kept = std::mem::take(self.kept_mut());
        self.unpack = if first & 0x0f == ZLIB_DEFLATE {
            Unpack::Zlib(Box::new(ZlibDecoder::new(kept)))
        } else {
            Unpack::Deflate(Box::new(DeflateDecoder::new(kept)))
        };
    }

    fn broken(&self, why: &str) -> Cause {
        let format = if matches!(self.unpack, Unpack::Gzip(_)) { "gzip" } else { "deflate" };
        let text = format!("the body says it is {format} but cannot be unpacked after {} bytes: {why}", self.received);
        Cause::new(Code::BadBody, text)
    }

    pub(crate) fn received(&self) -> usize {
        self.received
    }

    pub(crate) fn kept(&self) -> &Kept {
        match &self.unpack {
            Unpack::Plain(kept) | Unpack::Undecided(kept) => kept,
            Unpack::Gzip(decoder) => decoder.get_ref(),
            Unpack::Zlib(decoder) => decoder.get_ref(),
            Unpack::Deflate(decoder) => decoder.get_ref(),
        }
    }

    fn kept_mut(&mut self) -> &mut Kept {
        match &mut self.unpack {
            Unpack::Plain(kept) | Unpack::Undecided(kept) => kept,
            Unpack::Gzip(decoder) => decoder.get_mut(),
            Unpack::Zlib(decoder) => decoder.get_mut(),
            Unpack::Deflate(decoder) => decoder.get_mut(),
        }
    }

    fn take_kept(&mut self) -> Kept {
        std::mem::take(self.kept_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn read(encoding: &str, packed: &[u8]) -> Result<Kept, Cause> {
        let mut reader = Reader::new(Some(encoding.as_bytes()), BODY_BYTES);
        for piece in packed.chunks(1_000) {
            if !reader.push(&Bytes::copy_from_slice(piece))? {
                return reader.finish(false);
            }
        }
        reader.finish(true)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn all_three_packings_unpack() {
        let text = b"hello ".repeat(1_000);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&text).unwrap();
        assert_eq!(read("gzip", &gzip(&text)).unwrap().bytes, text);
        assert_eq!(read("deflate", &zlib.finish().unwrap()).unwrap().bytes, text);
        assert_eq!(read("deflate", &raw.finish().unwrap()).unwrap().bytes, text);
        assert_eq!(read("br", &text).unwrap().bytes, text);
    }

    #[test]
    fn a_bomb_is_a_fault_and_a_long_page_is_not() {
        let refused = read("gzip", &gzip(&vec![0; 4 << 20])).unwrap_err();
        assert_eq!(refused.code, Code::BadBody);
        let page: Vec<u8> = (0..100_000).flat_map(|n| format!("<li>line {n}</li>").into_bytes()).collect();
        let kept = read("gzip", &gzip(&page)).unwrap();
        assert_eq!((kept.total, kept.bytes.len()), (BODY_BYTES, BODY_BYTES));
    }

    #[test]
    fn what_is_not_packed_as_it_says_is_a_fault() {
        assert_eq!(read("gzip", b"plainly not gzip").unwrap_err().code, Code::BadBody);
        let whole = gzip(&b"hello ".repeat(1_000));
        assert_eq!(read("gzip", &whole[..whole.len() / 2]).unwrap_err().code, Code::BadBody);
        assert_eq!(read("gzip", b"").unwrap().total, 0);
    }

    #[test]
    fn an_excerpt_survives_a_cut_character() {
        let mut reader = Reader::new(None, EXCERPT_BYTES);
        reader.push(&Bytes::from("é".repeat(EXCERPT_BYTES))).unwrap();
        let excerpt = reader.finish(true).unwrap().excerpt();
        assert!(excerpt.truncated && excerpt.text.starts_with('é'));
    }
}
