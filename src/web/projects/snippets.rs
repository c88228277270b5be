//! How to connect an application. In: a platform and a DSN. Out: what to install and the lines to add.

/// A platform that the page offers, with what to paste.
#[derive(Debug, Clone, Copy)]
pub struct Platform {
    pub id: &'static str,
    pub name: &'static str,
    pub install: &'static str,
    /// `{dsn}` stands for the project's DSN.
    code: &'static str,
}

impl Platform {
    /// The lines to add, with the exact DSN in them.
    pub fn code(&self, dsn: &str) -> String {
        self.code.replace("{dsn}", dsn)
    }
}

/// What the page offers; the last one fits everything else.
pub const PLATFORMS: &[Platform] = &[
    Platform {
        id: "python",
        name: "Python",
        install: "pip install --upgrade sentry-sdk",
        code: "import sentry_sdk\n\nsentry_sdk.init(\n    dsn=\"{dsn}\",\n)\n\n1 / 0  # try it: this error will show up here\n",
    },
    Platform {
        id: "python-django",
        name: "Django",
        install: "pip install --upgrade 'sentry-sdk[django]'",
        code: "# settings.py\nimport sentry_sdk\n\nsentry_sdk.init(\n    dsn=\"{dsn}\",\n    send_default_pii=True,\n)\n",
    },
    Platform {
        id: "javascript",
        name: "Browser",
        install: "npm install @sentry/browser",
        code: "import * as Sentry from \"@sentry/browser\";\n\nSentry.init({\n  dsn: \"{dsn}\",\n});\n\nsetTimeout(() => { throw new Error(\"Hello, Bugle\"); });\n",
    },
    Platform {
        id: "javascript-react",
        name: "React",
        install: "npm install @sentry/react",
        code: "import * as Sentry from \"@sentry/react\";\n\nSentry.init({\n  dsn: \"{dsn}\",\n});\n",
    },
    Platform {
        id: "node",
        name: "Node.js",
        install: "npm install @sentry/node",
        code: "// instrument.mjs, started with: node --import ./instrument.mjs app.mjs\nimport * as Sentry from \"@sentry/node\";\n\nSentry.init({\n  dsn: \"{dsn}\",\n});\n",
    },
    Platform {
        id: "go",
        name: "Go",
        install: "go get github.com/getsentry/sentry-go",
        code: "err := sentry.Init(sentry.ClientOptions{\n\tDsn: \"{dsn}\",\n})\nif err != nil {\n\tlog.Fatal(err)\n}\ndefer sentry.Flush(2 * time.Second)\n\nsentry.CaptureMessage(\"Hello, Bugle\")\n",
    },
    Platform {
        id: "rust",
        name: "Rust",
        install: "cargo add sentry",
        code: "fn main() {\n    let _guard = sentry::init((\n        \"{dsn}\",\n        sentry::ClientOptions {\n            release: sentry::release_name!(),\n            ..Default::default()\n        },\n    ));\n\n    panic!(\"Hello, Bugle\");\n}\n",
    },
    Platform {
        id: "ruby-rails",
        name: "Ruby",
        install: "bundle add sentry-ruby sentry-rails",
        code: "# config/initializers/sentry.rb\nSentry.init do |config|\n  config.dsn = \"{dsn}\"\n  config.breadcrumbs_logger = [:active_support_logger, :http_logger]\nend\n",
    },
    Platform {
        id: "php-laravel",
        name: "PHP",
        install: "composer require sentry/sentry",
        code: "\\Sentry\\init([\n    'dsn' => '{dsn}',\n]);\n\n\\Sentry\\captureMessage('Hello, Bugle');\n",
    },
    Platform {
        id: "java",
        name: "Java",
        install: "implementation 'io.sentry:sentry:8.+'   // build.gradle",
        code: "Sentry.init(options -> {\n    options.setDsn(\"{dsn}\");\n});\n\nSentry.captureMessage(\"Hello, Bugle\");\n",
    },
    Platform {
        id: "dotnet",
        name: ".NET",
        install: "dotnet add package Sentry",
        code: "SentrySdk.Init(options =>\n{\n    options.Dsn = \"{dsn}\";\n});\n\nSentrySdk.CaptureMessage(\"Hello, Bugle\");\n",
    },
    Platform {
        id: "other",
        name: "Something else",
        install: "bugle send-test-event --dsn {dsn}",
        code: "# Every Sentry SDK works: give it this DSN.\nSENTRY_DSN={dsn}\n",
    },
];

/// The platform of a project, or what fits everything.
pub fn platform(id: &str) -> &'static Platform {
    PLATFORMS
        .iter()
        .find(|platform| platform.id == id)
        .unwrap_or(&PLATFORMS[PLATFORMS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_holds_the_dsn() {
        for platform in PLATFORMS {
            assert!(
                platform.code("https://k@h/1").contains("https://k@h/1"),
                "{}",
                platform.id
            );
            assert!(!platform.code("x").contains("{dsn}"), "{}", platform.id);
        }
        assert_eq!(platform("python").name, "Python");
        assert_eq!(platform("cobol").id, "other");
    }
}
