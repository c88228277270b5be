//! Packages of Go's standard library, of other modules and of vendored ones.
//! In: one frame. Out: whether its package is not the application's.

use crate::process::event::Frame;

use super::super::path::has_segment;
use super::super::table::Table;

/// The first elements of the standard library's import paths.
static STANDARD: Table = Table::new(&[
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
]);

static MODULES: Table = Table::new(&[
    "database/sql",
    "github.com/99designs/gqlgen/",
    "github.com/ClickHouse/clickhouse-go",
    "github.com/IBM/sarama",
    "github.com/aws/aws-sdk-go",
    "github.com/cenkalti/backoff",
    "github.com/confluentinc/confluent-kafka-go",
    "github.com/gin-gonic/gin",
    "github.com/go-chi/chi",
    "github.com/go-gorm/",
    "github.com/go-kit/kit",
    "github.com/go-redis/",
    "github.com/go-resty/",
    "github.com/go-sql-driver/",
    "github.com/gofiber/",
    "github.com/gogo/protobuf",
    "github.com/golang/",
    "github.com/google/uuid",
    "github.com/googleapis/",
    "github.com/gorilla/",
    "github.com/grpc-ecosystem/",
    "github.com/hibiken/asynq",
    "github.com/jackc/pg",
    "github.com/jackc/puddle",
    "github.com/jinzhu/gorm",
    "github.com/jmoiron/sqlx",
    "github.com/julienschmidt/httprouter",
    "github.com/labstack/echo",
    "github.com/lib/pq",
    "github.com/mattn/go-sqlite3",
    "github.com/nats-io/",
    "github.com/newrelic/go-agent",
    "github.com/pkg/errors",
    "github.com/prometheus/client_golang",
    "github.com/rabbitmq/amqp091-go",
    "github.com/redis/go-redis",
    "github.com/robfig/cron",
    "github.com/rs/zerolog",
    "github.com/segmentio/kafka-go",
    "github.com/sirupsen/logrus",
    "github.com/sourcegraph/conc",
    "github.com/spf13/",
    "github.com/streadway/amqp",
    "github.com/stretchr/testify",
    "github.com/uptrace/bun",
    "github.com/urfave/",
    "github.com/valyala/fasthttp",
    "go.etcd.io/",
    "go.mongodb.org/",
    "go.opentelemetry.io/",
    "go.temporal.io/sdk",
    "go.uber.org/",
    "golang.org/x/",
    "google.golang.org/",
    "gopkg.in/",
    "gorm.io/",
    "vendor/golang.org/",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    let module = frame.module.as_deref().unwrap_or_default();
    let first = module.split('/').next().unwrap_or(module);
    if STANDARD.holds(first) || MODULES.holds_beginning_of(module) {
        return true;
    }
    [&frame.abs_path, &frame.filename]
        .into_iter()
        .flatten()
        .any(|path| is_library_path(path))
}

/// Other modules lie in the module cache, where their folders carry versions, or below `vendor`, where the import
/// path begins with a host; the application's own package may well be called `vendor`.
fn is_library_path(path: &str) -> bool {
    if path.starts_with("/usr/local/go/src/") {
        return true;
    }
    has_segment(path, |previous, segment| match previous {
        "pkg" => segment == "mod",
        "vendor" => is_host(segment),
        _ => matches!(segment, "GOROOT" | "$GOROOT") || has_version(segment),
    })
}

/// `github.com`, and not `vendor.go`.
fn is_host(segment: &str) -> bool {
    segment.contains('.') && segment.rsplit('.').next() != Some("go")
}

/// `gin@v1.9.0`.
fn has_version(segment: &str) -> bool {
    segment
        .split_once("@v")
        .is_some_and(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, module, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        MODULES.assert_beginnings();
        STANDARD.assert_sorted();
    }

    #[test]
    fn packages() {
        assert_libraries(
            "go",
            module,
            &[
                "runtime",
                "net/http",
                "database/sql",
                "encoding/json",
                "github.com/gin-gonic/gin",
                "golang.org/x/sync/errgroup",
                "gorm.io/gorm",
                "github.com/getsentry/sentry-go",
            ],
            &[
                "main",
                "example.com/shop/importer/parse",
                "github.com/acme/shop",
                "network/http",
                "shop/internal/net",
                "",
            ],
        );
        assert_libraries(
            "go",
            path,
            &[
                "/home/jane/go/pkg/mod/github.com/x/y@v1.0.0/y.go",
                "/usr/local/go/src/net/http/server.go",
                "/src/vendor/github.com/x/y/y.go",
                "github.com/x/y@v1.9.0/y.go",
                "$GOROOT/src/runtime/panic.go",
            ],
            &[
                "/src/importer/main.go",
                "/src/internal/vendor/vendor.go",
                "/src/internal/vendor/models/vendor.go",
                "/src/pkg/models/mod.go",
                "/src/shop@home/a.go",
            ],
        );
    }
}
