//! Python's standard library and installed packages.
//! In: one frame. Out: whether it is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, has_segment};
use super::super::table::Table;

/// Packages that are hardly ever the name of something of one's own. They decide only where no path is known.
static PACKAGES: Table = Table::new(&[
    "IPython.",
    "MySQLdb.",
    "_pytest.",
    "aiohttp.",
    "aiomysql.",
    "aiopg.",
    "alembic.",
    "anyio.",
    "apscheduler.",
    "asgiref.",
    "asyncio.",
    "asyncpg.",
    "attrs.",
    "billiard.",
    "boto3.",
    "botocore.",
    "celery.",
    "cherrypy.",
    "concurrent.futures.",
    "connexion.",
    "corsheaders.",
    "cryptography.",
    "ddtrace.",
    "django.",
    "django_celery_beat.",
    "dramatiq.",
    "elastic_transport.",
    "elasticsearch.",
    "eventlet.",
    "falcon.",
    "fastapi.",
    "flask.",
    "flask_login.",
    "flask_restful.",
    "flask_sqlalchemy.",
    "gevent.",
    "google.api_core.",
    "google.auth.",
    "google.cloud.",
    "google.protobuf.",
    "gql.",
    "graphene.",
    "greenlet.",
    "grpc.",
    "gunicorn.",
    "h11.",
    "httpcore.",
    "httptools.",
    "httpx.",
    "huggingface_hub.",
    "importlib.",
    "ipykernel.",
    "jinja2.",
    "jsonschema.",
    "keras.",
    "kombu.",
    "langchain",
    "langgraph.",
    "mako.",
    "marshmallow.",
    "multiprocessing.",
    "mysql.connector.",
    "newrelic.",
    "numpy.",
    "openai.",
    "opentelemetry.",
    "pandas.",
    "peewee.",
    "pika.",
    "pluggy.",
    "psycopg.",
    "psycopg2.",
    "pydantic.",
    "pydantic_core.",
    "pymongo.",
    "pymysql.",
    "pyramid.",
    "pytest.",
    "redis.",
    "rediscluster.",
    "requests.",
    "rest_framework.",
    "rq.",
    "s3transfer.",
    "sanic.",
    "scipy.",
    "sklearn.",
    "socketio.",
    "sqlalchemy.",
    "starlette.",
    "strawberry.",
    "tenacity.",
    "tensorflow.",
    "torch.",
    "tornado.",
    "transformers.",
    "twisted.",
    "unittest.",
    "urllib.",
    "urllib3.",
    "uvicorn.",
    "uvloop.",
    "waitress.",
    "werkzeug.",
    "whitenoise.",
    "wrapt.",
    "wsgiref.",
    "zope.",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    let path = full_path(frame);
    if path.is_some_and(is_library_path) {
        return true;
    }
    let is_absolute =
        path.is_some_and(|path| path.starts_with('/') || path.as_bytes().get(1) == Some(&b':'));
    !is_absolute
        && frame
            .module
            .as_deref()
            .is_some_and(|module| module == "threading" || PACKAGES.holds_beginning_of(module))
}

/// Packages lie in their own folders, the standard library in `lib/python3.12` (on Windows in `Python312\\Lib`).
fn is_library_path(path: &str) -> bool {
    if path.starts_with("<frozen ") {
        return true;
    }
    has_segment(path, |previous, segment| match segment {
        "site-packages" | "dist-packages" => true,
        "Lib" => previous.starts_with("Python"),
        _ => {
            matches!(previous, "lib" | "lib64")
                && (segment.starts_with("python2") || segment.starts_with("python3"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, module, path};
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn tables_are_sorted() {
        PACKAGES.assert_beginnings();
    }

    #[test]
    fn paths_and_modules() {
        assert_libraries(
            "python",
            path,
            &[
                "/opt/venv/lib/python3.12/site-packages/flask/app.py",
                "/usr/lib/python3/dist-packages/requests/api.py",
                "/opt/python/lib/python3.11/threading.py",
                "/usr/lib64/python3.9/json/decoder.py",
                "/var/lang/lib/python311.zip/json/decoder.py",
                r"C:\Python311\Lib\threading.py",
                "<frozen importlib._bootstrap>",
            ],
            &[
                "/srv/app/shop/basket.py",
                "/srv/app/venv/basket.py",
                "/srv/app/lib/pythons.py",
                "/srv/app/vendor/models.py",
                "shop/web.py",
                "<string>",
            ],
        );
        assert_libraries(
            "python",
            module,
            &[
                "flask.app",
                "django.core.handlers.base",
                "threading",
                "sentry_sdk.hub",
            ],
            &[
                "shop.web",
                "__main__",
                "flasks.app",
                "redis",
                "threading_tools",
            ],
        );
    }

    #[test]
    fn a_known_path_decides_before_the_name() {
        let frame = Frame {
            abs_path: Some(Cow::Borrowed("/srv/app/requests/handlers.py")),
            module: Some(Cow::Borrowed("requests.handlers")),
            ..Frame::default()
        };
        assert!(!is_library(&frame));
    }
}
