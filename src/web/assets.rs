//! Style sheets, scripts and pictures. In: the files of `static/`, embedded in the binary. Out: the same under
//! addresses that change with their contents, compressed once, cached by browsers for good.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{self, ContentEncoding, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// One style sheet for the page, from one file a component; later files may lean on earlier ones.
const STYLES: [&str; 9] = [
    "tokens", "base", "layout", "controls", "panel", "issues", "issue", "event", "usage",
];

struct Asset {
    content_type: &'static str,
    plain: Vec<u8>,
    gzip: Vec<u8>,
    brotli: Vec<u8>,
}

struct Assets {
    hash: String,
    files: HashMap<String, Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

impl Assets {
    fn load() -> Self {
        let mut files: Vec<(String, Vec<u8>)> = Files::iter()
            .filter(|name| !name.starts_with("css/"))
            .filter_map(|name| Some((name.to_string(), Files::get(&name)?.data.into_owned())))
            .collect();
        files.push(("app.css".to_owned(), styles()));
        files.sort();
        // One hash for all, so that scripts may name each other relative to their own address.
        let mut digest = Sha256::new();
        for (name, data) in &files {
            digest.update(name.as_bytes());
            digest.update(Sha256::digest(data));
        }
        let hash = hex::encode(&digest.finalize()[..8]);
        let files = files
            .into_iter()
            .map(|(name, data)| (name.clone(), Asset::new(&name, data)))
            .collect();
        Self { hash, files }
    }
}

fn styles() -> Vec<u8> {
    let mut all = Vec::new();
    for name in STYLES {
        if let Some(file) = Files::get(&format!("css/{name}.css")) {
            all.extend_from_slice(&file.data);
        }
    }
    all
}

impl Asset {
    fn new(name: &str, plain: Vec<u8>) -> Self {
        let content_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            _ => "application/octet-stream",
        };
        Self {
            content_type,
            gzip: gzip(&plain),
            brotli: brotli(&plain),
            plain,
        }
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn brotli(data: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut packed, 4096, 9, 20);
    writer.write_all(data).expect("writing to memory");
    drop(writer);
    packed
}

/// Where a page finds a file: `/static/<hash>/<name>`.
pub fn base() -> String {
    format!("/static/{}", ASSETS.hash)
}

/// `GET /static/{hash}/{name}`
pub async fn serve(request: HttpRequest, path: web::Path<(String, String)>) -> HttpResponse {
    let (hash, name) = path.into_inner();
    let Some(asset) = ASSETS.files.get(&name) else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("There is no such file.\n");
    };
    let accepted = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepts = |coding: &str| {
        accepted.split(',').any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            name.trim() == coding && weight.trim() != "q=0"
        })
    };
    let (data, encoding) = if accepts("br") {
        (&asset.brotli, Some(ContentEncoding::Brotli))
    } else if accepts("gzip") {
        (&asset.gzip, Some(ContentEncoding::Gzip))
    } else {
        (&asset.plain, None)
    };
    let mut response = HttpResponse::Ok();
    response.content_type(asset.content_type);
    response.insert_header((header::VARY, HeaderValue::from_static("accept-encoding")));
    // A page of another release may ask during an upgrade: it gets what there is, but must not keep it.
    let lifetime = if hash == ASSETS.hash {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.insert_header((header::CACHE_CONTROL, lifetime));
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding.as_str()));
    }
    response.body(data.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_sheet_is_in_the_bundle() {
        let on_disk = Files::iter()
            .filter(|name| name.starts_with("css/"))
            .count();
        assert_eq!(on_disk, STYLES.len());
        for name in STYLES {
            assert!(Files::get(&format!("css/{name}.css")).is_some(), "{name}");
        }
    }

    #[test]
    fn the_first_load_stays_small() {
        let packed: usize = ASSETS.files.values().map(|asset| asset.brotli.len()).sum();
        assert!(packed < 40_000, "{packed} bytes of assets");
        assert!(ASSETS.files.contains_key("app.css") && ASSETS.files.contains_key("js/app.js"));
    }
}
