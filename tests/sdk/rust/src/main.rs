//! An application that fails: `reserve` panics, and the SDK reports it to the DSN of the environment.

fn reserve(stock: &[u32], article: usize) -> u32 {
    *stock.get(article).expect("article must exist")
}

fn main() {
    let mut options = sentry::ClientOptions::default();
    options.release = Some("rust-shop@0.3.1".into());
    options.environment = Some("live".into());
    let dsn = std::env::var("SENTRY_DSN").expect("SENTRY_DSN is set");
    let _guard = sentry::init((dsn, options));
    sentry::configure_scope(|scope| {
        scope.set_tag("region", "eu-central");
        scope.set_user(Some(sentry::User { id: Some("4711".into()), ..Default::default() }));
    });
    sentry::add_breadcrumb(sentry::Breadcrumb { message: Some("stock loaded".into()), ..Default::default() });
    sentry::capture_message("import skipped 17 rows", sentry::Level::Warning);
    println!("{}", reserve(&[1, 2, 3], 17));
}
