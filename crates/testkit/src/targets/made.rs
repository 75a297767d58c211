//! What is too large or too exact to be written down in the table. Made once, shared by all connections.

use std::io::Write;
use std::sync::OnceLock;

use flate2::{Compress, Compression, FlushCompress};

/// One gibibyte of zeros in about one mebibyte of gzip.
///
/// A full flush forgets what came before, so one compressed mebibyte can be said a thousand times over.
pub(super) fn zip_bomb() -> &'static [u8] {
    const MEBIBYTES: usize = 1024;
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut block = Vec::with_capacity(64 * 1024);
        Compress::new(Compression::best(), false)
            .compress_vec(&vec![0; 1024 * 1024], &mut block, FlushCompress::Full)
            .expect("zeros compress into 64 KiB");
        // RFC 1952: magic, deflate, no flags, no time, no hint, unknown system.
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        for _ in 0..MEBIBYTES {
            body.extend_from_slice(&block);
        }
        gzipped(&body)
    })
}

/// A good gzip of a short page.
pub(super) fn good_gzip() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| gzipped(&gzip(b"<h1>All is well</h1>")))
}

/// A gzip that lacks its second half, of exactly the length that the header says.
pub(super) fn half_gzip() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let whole = gzip("All is well, and then it is not. ".repeat(20).as_bytes());
        gzipped(&whole[..whole.len() / 2])
    })
}

/// A gzip with one bit of its body turned, which its checksum notices.
pub(super) fn corrupt_gzip() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut whole = gzip(b"<h1>All is well</h1>");
        let checksum = whole.len() - 8;
        whole[checksum] ^= 1;
        gzipped(&whole)
    })
}

/// One header of 4 MiB.
pub(super) fn huge_header() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let value = "a".repeat(4 * 1024 * 1024);
        format!("HTTP/1.1 200 OK\r\nX-Huge: {value}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    })
}

/// Ten thousand small headers.
pub(super) fn many_headers() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        for number in 0..10_000 {
            write!(head, "X-{number}: a\r\n").expect("a vector takes every write");
        }
        head.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        head
    })
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("a vector takes every write");
    encoder.finish().expect("a vector takes every write")
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
