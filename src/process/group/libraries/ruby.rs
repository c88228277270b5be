//! Ruby's standard library and installed gems.
//! In: one frame. Out: whether it is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, has_segment};

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    full_path(frame).is_some_and(is_library_path)
}

/// The folder of an installed gem carries its version or commit, that of a gem of one's own (in `gems/` of the
/// repository) does not.
fn is_library_path(path: &str) -> bool {
    if path.starts_with("<internal:") {
        return true;
    }
    has_segment(path, |previous, segment| match previous {
        "gems" => has_version(segment),
        "lib" => matches!(segment, "ruby" | "jruby"),
        _ => segment == "vendor",
    })
}

fn has_version(folder: &str) -> bool {
    folder.rsplit_once('-').is_some_and(|(_, version)| {
        version.starts_with(|c: char| c.is_ascii_digit())
            || matches!(version, "java" | "darwin" | "linux" | "musl" | "gnu")
            || (version.len() >= 7 && version.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, path};

    #[test]
    fn paths() {
        assert_libraries(
            "ruby",
            path,
            &[
                "/usr/local/bundle/gems/puma-6.5.0/lib/puma/thread_pool.rb",
                "/usr/local/bundle/gems/nokogiri-1.16.0-x86_64-linux/lib/nokogiri.rb",
                "/srv/bundle/ruby/3.3.0/bundler/gems/rails-1a2b3c4d5e6f/lib/rails.rb",
                "/usr/local/lib/ruby/3.3.0/net/http.rb",
                "/srv/app/vendor/bundle/x/y.rb",
                "<internal:kernel>",
            ],
            &[
                "/srv/app/app/controllers/orders_controller.rb",
                "/srv/app/gems/billing/lib/billing.rb",
                "/srv/app/gems/shop-core/lib/core.rb",
                "/srv/app/lib/rubyist.rb",
                "app/models/vendor.rb",
            ],
        );
    }
}
