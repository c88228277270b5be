//! How much of an event is kept. In and out: nothing; these are the figures of docs/event-format.md, in one table.

pub(crate) const EXCEPTIONS: usize = 50;
pub(crate) const FRAMES: usize = 250;
/// How many frames of one stack keep their variables and source lines.
pub(crate) const FRAMES_WITH_SOURCE: usize = 50;
pub(crate) const SOURCE_LINES: usize = 10;
pub(crate) const THREADS: usize = 200;
pub(crate) const BREADCRUMBS: usize = 100;
pub(crate) const TAGS: usize = 100;
pub(crate) const CONTEXTS: usize = 100;
pub(crate) const PAIRS: usize = 200;
pub(crate) const FINGERPRINT: usize = 32;
pub(crate) const NOTES: usize = 50;

/// A text is cut to `limit` characters when it has more than `limit + tolerance`.
#[derive(Clone, Copy)]
pub(crate) struct Length {
    pub limit: usize,
    pub tolerance: usize,
}

const fn length(limit: usize, tolerance: usize) -> Length {
    Length { limit, tolerance }
}

pub(crate) const MESSAGE: Length = length(8192, 200);
pub(crate) const SYMBOL: Length = length(256, 20);
pub(crate) const PATH: Length = length(256, 40);
pub(crate) const SOURCE_LINE: Length = length(512, 20);
pub(crate) const NAME: Length = length(200, 0);
pub(crate) const SHORT_NAME: Length = length(128, 0);
pub(crate) const LOGGER: Length = length(64, 0);
pub(crate) const EMAIL: Length = length(75, 0);
/// Addresses and directives of a security report.
pub(crate) const REPORT_TEXT: Length = length(1024, 20);
pub(crate) const RELEASE_BYTES: usize = 200;
pub(crate) const ENVIRONMENT: usize = 64;
pub(crate) const DIST: usize = 64;
pub(crate) const TAG_KEY: usize = 200;

/// The size of a bag of free data, as an estimate of its JSON, and its depth.
#[derive(Clone, Copy)]
pub(crate) struct Bag {
    pub bytes: usize,
    pub depth: usize,
}

const fn bag(kib: usize, depth: usize) -> Bag {
    Bag {
        bytes: kib * 1024,
        depth,
    }
}

pub(crate) const SMALL_BAG: Bag = bag(2, 5);
pub(crate) const REQUEST_BAG: Bag = bag(8, 7);
pub(crate) const QUERY_BAG: Bag = bag(1, 3);
pub(crate) const CONTEXT_BAG: Bag = bag(8, 7);
pub(crate) const EXTRA_BAG: Bag = bag(256, 7);
pub(crate) const EXTRA_VALUE: usize = 16 * 1024;
pub(crate) const MODULES_BAG: Bag = bag(8, 2);
pub(crate) const SDK_BAG: Bag = bag(8, 5);
pub(crate) const DEBUG_META_BAG: Bag = bag(256, 5);
pub(crate) const META_BAG: Bag = bag(32, 24);
pub(crate) const REPORT_BAG: Bag = bag(16, 5);
