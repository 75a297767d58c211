//! Our own CSS, JavaScript and icon, served from the binary.
//!
//! A file's address holds a hash of its content, so browsers may keep it for ever and a new release is seen at once.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    path: String,
    mime: &'static str,
    content: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, mime: &'static str, content: &'static [u8]) -> Self {
        Self { path: format!("/assets/{stem}-{:016x}.{ending}", fnv1a(content)), mime, content }
    }
}

static CSS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("gazer", "css", "text/css; charset=utf-8", include_bytes!("assets/gazer.css")));
static JS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("gazer", "js", "text/javascript; charset=utf-8", include_bytes!("assets/gazer.js")));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("gazer", "svg", "image/svg+xml", include_bytes!("assets/gazer.svg")));

pub(crate) fn css() -> &'static str {
    &CSS.path
}

pub(crate) fn js() -> &'static str {
    &JS.path
}

pub(crate) fn icon() -> &'static str {
    &ICON.path
}

/// `GET /assets/{name}`
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let known = [&*CSS, &*JS, &*ICON].into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    let Some(asset) = known else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    let forever = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, asset.mime), (header::CACHE_CONTROL, forever)], asset.content).into_response()
}

/// `GET /favicon.ico`: browsers ask for it unasked.
pub(crate) async fn favicon() -> Response {
    ([(header::CONTENT_TYPE, ICON.mime), (header::CACHE_CONTROL, "public, max-age=86400")], ICON.content)
        .into_response()
}

/// FNV-1a, 64 bits: tells two releases of a file apart, which is all that is asked of it.
fn fnv1a(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
