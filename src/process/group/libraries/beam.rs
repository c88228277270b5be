//! Modules of Erlang, Elixir and common packages.
//! In: one frame. Out: whether its module is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, segments};
use super::super::table::Table;

static ELIXIR: Table = Table::new(&[
    "Absinthe.",
    "Bandit.",
    "Broadway.",
    "Cachex.",
    "Commanded.",
    "DBConnection",
    "Ecto.",
    "Enum",
    "ExUnit.",
    "Finch.",
    "GenServer",
    "GenStage",
    "HTTPoison",
    "IEx.",
    "Jason.",
    "Kernel.",
    "Logger.",
    "Mix.",
    "MyXQL.",
    "Oban.",
    "OpenTelemetry",
    "Phoenix.",
    "Plug.",
    "Postgrex.",
    "Redix.",
    "Supervisor.",
    "Swoosh.",
    "Task.Supervised",
    "Tesla.",
    "ThousandIsland.",
    "WebSock",
]);

static ERLANG: Table = Table::new(&[
    "application",
    "application_master",
    "code_server",
    "cow_http",
    "cowboy_handler",
    "cowboy_http",
    "cowboy_http2",
    "cowboy_stream",
    "cowboy_stream_h",
    "erl_eval",
    "erlang",
    "error_handler",
    "ets",
    "file_server",
    "gen",
    "gen_event",
    "gen_server",
    "gen_statem",
    "gen_tcp",
    "gun",
    "hackney",
    "hackney_pool",
    "inets",
    "init",
    "kernel",
    "lists",
    "maps",
    "poolboy",
    "proc_lib",
    "ranch",
    "ranch_conns_sup",
    "ssl",
    "supervisor",
    "timer",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    let module = frame.module.as_deref().map(bare).unwrap_or_default();
    ELIXIR.holds_beginning_of(module)
        || ERLANG.holds(module)
        || full_path(frame).is_some_and(|path| segments(path).any(|segment| segment == "deps"))
}

/// Atoms are written with a colon, and Elixir's modules begin with its name.
pub(in super::super) fn bare(module: &str) -> &str {
    let module = module.strip_prefix(':').unwrap_or(module);
    module.strip_prefix("Elixir.").unwrap_or(module)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, module, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        ELIXIR.assert_beginnings();
        ERLANG.assert_sorted();
    }

    #[test]
    fn modules() {
        assert_libraries(
            "elixir",
            module,
            &[
                "Phoenix.Router",
                "Elixir.Plug.Conn",
                ":gen_server",
                "proc_lib",
                "Sentry.Client",
            ],
            &[
                "Shop.Basket",
                "ShopWeb.OrderController",
                "init_shop",
                "Task.Board",
            ],
        );
        assert_libraries(
            "elixir",
            path,
            &["deps/phoenix/lib/router.ex"],
            &["lib/shop/basket.ex"],
        );
    }
}
