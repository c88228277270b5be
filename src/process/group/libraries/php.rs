//! PHP's own functions, and packages that Composer installed.
//! In: one frame. Out: whether it is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, segments};
use super::super::table::Table;

/// They decide only where no path is known.
static NAMESPACES: Table = Table::new(&[
    "Aws\\",
    "Behat\\",
    "Cake\\",
    "Carbon\\",
    "CodeIgniter\\",
    "Composer\\",
    "Doctrine\\",
    "Drupal\\Component\\",
    "Drupal\\Core\\",
    "Filament\\",
    "Google\\",
    "GraphQL\\",
    "GuzzleHttp\\",
    "Illuminate\\",
    "Inertia\\",
    "Laminas\\",
    "Laravel\\",
    "League\\",
    "Livewire\\",
    "Magento\\Framework\\",
    "Mockery\\",
    "Monolog\\",
    "Nette\\",
    "Nyholm\\",
    "PHPUnit\\",
    "Pest\\",
    "Phalcon\\",
    "PhpAmqpLib\\",
    "PhpOffice\\",
    "PhpParser\\",
    "Predis\\",
    "Psalm\\",
    "Psr\\",
    "Psy\\",
    "Ramsey\\",
    "React\\",
    "Slim\\",
    "Spatie\\",
    "Stripe\\",
    "Swoole\\",
    "Symfony\\",
    "Twig\\",
    "Yiisoft\\",
    "Zend\\",
    "yii\\",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    match full_path(frame) {
        Some("[internal]") => true,
        Some(path) => is_library_path(path),
        None => frame
            .function
            .as_deref()
            .is_some_and(|function| NAMESPACES.holds_beginning_of(function)),
    }
}

fn is_library_path(path: &str) -> bool {
    path.starts_with("phar://")
        || path.starts_with("/usr/share/php/")
        || path.starts_with("/usr/local/lib/php/")
        || segments(path).any(|segment| matches!(segment, "vendor" | "wp-includes"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, function, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        NAMESPACES.assert_beginnings();
    }

    #[test]
    fn paths_and_functions() {
        assert_libraries(
            "php",
            path,
            &[
                "/var/www/html/vendor/laravel/framework/src/Illuminate/Routing/Controller.php",
                "/vendor/laravel/framework/src/x.php",
                "/var/www/wp-includes/class-wp-hook.php",
                "phar:///usr/local/bin/composer/src/x.php",
                "[internal]",
            ],
            &[
                "/var/www/html/app/Http/Controllers/OrderController.php",
                "/var/www/html/public/index.php",
                "/var/www/html/app/Vendor/Models/Vendor.php",
                "/var/www/html/src/vendors.php",
                "/var/www/wp-content/plugins/shop/shop.php",
            ],
        );
        assert_libraries(
            "php",
            function,
            &[
                "Illuminate\\Routing\\Controller::callAction",
                "Sentry\\captureException",
            ],
            &["App\\Http\\Controllers\\OrderController::pay", "array_map"],
        );
    }
}
