//! Reading a body: bounded in what is read, in what it unpacks to, and in what all checks hold together.
//!
//! At most [`BODY_BYTES`] count, packed or unpacked, whichever comes first; what lies beyond is not read, and is no
//! fault, unless it was packed so tightly that it can only be meant to hurt. A body is kept only as far as somebody asks:
//! whole for assertions on it, its start for evidence, else it is counted and dropped.
//!
//! A packed body is unpacked in small steps, so that its memory can be asked for before each of them. A gzip may have
//! several members (RFC 1952 §2.2); what follows the last is not looked at, as browsers do.

mod budget;

use std::fmt;
use std::io::{self, Write};

use bytes::{Buf, Bytes};
use flate2::write::{DeflateDecoder, GzDecoder, ZlibDecoder};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::observation::{Excerpt, MOST_BODY_BYTES};

use super::charset::Charset;
pub(crate) use budget::{Budget, Share};

/// What is read of one body at most.
pub(crate) const BODY_BYTES: usize = MOST_BODY_BYTES as usize;
/// What is kept of a body that nobody asserts on, for evidence.
pub(crate) const EXCERPT_BYTES: usize = 16 * 1024;

/// Pieces read of one body at most: a thousand chunks of a byte each cost more than one of a thousand.
const MOST_PIECES: usize = BODY_BYTES / 16;
/// Packed bytes are unpacked in pieces of this, so that the ratio is known when the bound is met.
const PIECE_BYTES: usize = 1_024;
/// What one step unpacks at most: flate2 holds 32 KiB back, and fills as much again.
const STEP_BYTES: usize = 64 * 1024;
/// Beyond the bound and packed tighter than this, a body is a bomb and no page. Pages pack 3 to 20 times, a long table of
/// the same line up to 300; deflate can pack a thousand times.
const BOMB_RATIO: usize = 500;

/// Takes a body piece by piece, unpacks it if it is packed, and keeps what is asked for.
#[derive(Debug)]
pub(crate) struct Reader {
    unpack: Unpack,
    /// Members of a gzip that have ended.
    members: usize,
    pending: Bytes,
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
    /// What follows the packed body counts for nothing.
    Ended(Kept),
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
    pub(crate) fn excerpt(&self, charset: Charset) -> Excerpt {
        let shown = &self.bytes[..self.bytes.len().min(EXCERPT_BYTES)];
        Excerpt { text: charset.decode(shown).into_owned(), truncated: self.total > shown.len() }
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
        Self { unpack, members: 0, pending: Bytes::new(), received: 0, pieces: 0 }
    }

    /// Takes a piece that came; [`Self::step`] reads it.
    pub(crate) fn feed(&mut self, data: Bytes) {
        self.pieces += 1;
        self.pending = data;
    }

    /// True if all that came was read.
    pub(crate) fn is_hungry(&self) -> bool {
        self.pending.is_empty()
    }

    /// True if more bytes come than are kept of it.
    pub(crate) fn is_packed(&self) -> bool {
        !matches!(self.unpack, Unpack::Plain(_))
    }

    /// What may be kept after the next step.
    pub(crate) fn needs(&self) -> usize {
        let grows = if self.is_packed() { STEP_BYTES } else { self.pending.len() };
        (self.kept().bytes.len() + grows).min(self.kept().limit)
    }

    /// Reads some of what came. Answers whether more is wanted.
    pub(crate) fn step(&mut self) -> Result<bool, Cause> {
        if let (Unpack::Undecided(_), [first, ..]) = (&self.unpack, &*self.pending) {
            self.decide(*first);
        }
        let piece = self.pending.slice(..self.pending.len().min(PIECE_BYTES));
        let consumed = match &mut self.unpack {
            Unpack::Plain(kept) | Unpack::Undecided(kept) => {
                kept.take(&self.pending);
                self.pending.len()
            }
            Unpack::Ended(_) => self.pending.len(),
            Unpack::Gzip(_) | Unpack::Zlib(_) | Unpack::Deflate(_) => self.unpack(&piece)?,
        };
        self.received += consumed;
        self.pending.advance(consumed);
        if self.is_packed() && self.kept().is_full() && self.is_bomb() {
            return Err(self.bomb());
        }
        Ok(!self.kept().is_full() && self.received < BODY_BYTES && self.pieces < MOST_PIECES)
    }

    /// Answers how much of the piece was unpacked.
    fn unpack(&mut self, piece: &[u8]) -> Result<usize, Cause> {
        let taken = match &mut self.unpack {
            Unpack::Gzip(decoder) => decoder.write(piece),
            Unpack::Zlib(decoder) => decoder.write(piece),
            Unpack::Deflate(decoder) => decoder.write(piece),
            Unpack::Plain(_) | Unpack::Undecided(_) | Unpack::Ended(_) => Ok(piece.len()),
        };
        match taken {
            Ok(0) if !piece.is_empty() => self.end_member(piece).map(|()| 0),
            Ok(taken) => Ok(taken),
            // The bound was met; how tightly it was packed is known by the whole piece.
            Err(_) if self.kept().is_full() => Ok(piece.len()),
            Err(_) if self.is_after_the_end() => {
                self.unpack = Unpack::Ended(self.take_kept());
                Ok(0)
            }
            Err(err) => Err(self.broken(&err.to_string())),
        }
    }

    /// The packed body came to its end, and this follows it.
    fn end_member(&mut self, rest: &[u8]) -> Result<(), Cause> {
        const GZIP: [u8; 2] = [0x1f, 0x8b];
        self.try_finish().map_err(|err| self.broken(&err.to_string()))?;
        let goes_on =
            matches!(self.unpack, Unpack::Gzip(_)) && rest.iter().zip(GZIP).all(|(byte, magic)| *byte == magic);
        let kept = self.take_kept();
        self.members += 1;
        self.unpack = if goes_on { Unpack::Gzip(Box::new(GzDecoder::new(kept))) } else { Unpack::Ended(kept) };
        Ok(())
    }

    /// A further member of a gzip that has no head is none.
    fn is_after_the_end(&self) -> bool {
        self.members > 0 && matches!(&self.unpack, Unpack::Gzip(decoder) if decoder.header().is_none())
    }

    fn try_finish(&mut self) -> io::Result<()> {
        match &mut self.unpack {
            Unpack::Plain(_) | Unpack::Undecided(_) | Unpack::Ended(_) => Ok(()),
            Unpack::Gzip(decoder) => decoder.try_finish(),
            Unpack::Zlib(decoder) => decoder.try_finish(),
            Unpack::Deflate(decoder) => decoder.try_finish(),
        }
    }

    fn is_bomb(&self) -> bool {
        self.kept().total / self.received.max(1) >= BOMB_RATIO
    }

    fn bomb(&self) -> Cause {
        let text = format!("the body is a zip bomb: {} bytes unpack to more than 1 MiB", self.received);
        Cause::new(Code::BadBody, text)
    }

    /// Ends a body: `complete` if it came in full.
    pub(crate) fn finish(&mut self, complete: bool) -> Result<Kept, Cause> {
        let ended = self.try_finish();
        let must_end = complete && self.received > 0 && !self.kept().is_full() && !self.is_after_the_end();
        match ended {
            Err(err) if must_end => Err(self.broken(&err.to_string())),
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
            Unpack::Plain(kept) | Unpack::Undecided(kept) | Unpack::Ended(kept) => kept,
            Unpack::Gzip(decoder) => decoder.get_ref(),
            Unpack::Zlib(decoder) => decoder.get_ref(),
            Unpack::Deflate(decoder) => decoder.get_ref(),
        }
    }

    fn kept_mut(&mut self) -> &mut Kept {
        match &mut self.unpack {
            Unpack::Plain(kept) | Unpack::Undecided(kept) | Unpack::Ended(kept) => kept,
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
        for piece in packed.chunks(7_000) {
            if !push(&mut reader, Bytes::copy_from_slice(piece))? {
                return reader.finish(false);
            }
        }
        reader.finish(true)
    }

    fn push(reader: &mut Reader, data: Bytes) -> Result<bool, Cause> {
        reader.feed(data);
        while !reader.is_hungry() {
            let needs = reader.needs();
            if !reader.step()? {
                return Ok(false);
            }
            assert!(reader.kept().bytes.len() <= needs, "a step took more than was asked for");
        }
        Ok(true)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        packed(text, Compression::fast())
    }

    fn tight(text: &[u8]) -> Vec<u8> {
        packed(text, Compression::best())
    }

    fn packed(text: &[u8], how: Compression) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), how);
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
        let refused = read("gzip", &tight(&vec![0; 4 << 20])).unwrap_err();
        assert_eq!(refused.code, Code::BadBody);
        let page: Vec<u8> = (0..100_000).flat_map(|n| format!("<li>line {n}</li>").into_bytes()).collect();
        let table = b"<tr><td class='free'>no entry</td><td class='free'>no entry</td></tr>\n".repeat(100_000);
        for long in [page, table] {
            let kept = read("gzip", &gzip(&long)).unwrap();
            assert_eq!((kept.total, kept.bytes.len()), (BODY_BYTES, BODY_BYTES));
        }
    }

    #[test]
    fn a_gzip_has_as_many_members_as_it_has_and_what_follows_is_nothing() {
        let (one, two) = (gzip(b"one, "), gzip(b"two"));
        for rest in [&b""[..], b"\0\0\0\0", b"\x1fnone", b"\x1f\x8bnone", b"trailing words"] {
            let packed = [&one, &two, rest].concat();
            assert_eq!(read("gzip", &packed).unwrap().bytes, b"one, two", "{rest:?}");
        }
        let mut wrong = [one, two].concat();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        assert_eq!(read("gzip", &wrong).unwrap_err().code, Code::BadBody);
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
        push(&mut reader, Bytes::from("é".repeat(EXCERPT_BYTES))).unwrap();
        let excerpt = reader.finish(true).unwrap().excerpt(Charset::Utf8);
        assert!(excerpt.truncated && excerpt.text.starts_with('é'));
    }
}
