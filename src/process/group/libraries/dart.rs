//! Libraries of Dart, Flutter and common packages.
//! In: one frame. Out: whether it is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, segments};
use super::super::table::Table;

static LIBRARIES: Table = Table::new(&[
    "dart:",
    "org-dartlang-sdk:",
    "package:async/",
    "package:auto_route/",
    "package:bloc/",
    "package:chopper/",
    "package:cloud_firestore/",
    "package:collection/",
    "package:connectivity_plus/",
    "package:dartz/",
    "package:dio/",
    "package:drift/",
    "package:firebase_auth/",
    "package:firebase_core/",
    "package:firebase_crashlytics/",
    "package:firebase_messaging/",
    "package:flame/",
    "package:flutter/",
    "package:flutter_bloc/",
    "package:flutter_hooks/",
    "package:flutter_localizations/",
    "package:flutter_riverpod/",
    "package:flutter_secure_storage/",
    "package:flutter_test/",
    "package:flutter_tools/",
    "package:flutter_web_plugins/",
    "package:freezed_annotation/",
    "package:get/",
    "package:get_it/",
    "package:go_router/",
    "package:graphql/",
    "package:graphql_flutter/",
    "package:hive/",
    "package:hive_flutter/",
    "package:hooks_riverpod/",
    "package:http/",
    "package:http_parser/",
    "package:intl/",
    "package:isar/",
    "package:isolate/",
    "package:json_annotation/",
    "package:logging/",
    "package:mobx/",
    "package:path_provider/",
    "package:provider/",
    "package:redux/",
    "package:retrofit/",
    "package:riverpod/",
    "package:rxdart/",
    "package:shared_preferences/",
    "package:shelf/",
    "package:socket_io_client/",
    "package:sqflite/",
    "package:sqflite_common/",
    "package:stack_trace/",
    "package:stream_channel/",
    "package:test/",
    "package:test_api/",
    "package:web_socket_channel/",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    full_path(frame).is_some_and(|path| {
        LIBRARIES.holds_beginning_of(path) || segments(path).any(|segment| segment == ".pub-cache")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        LIBRARIES.assert_beginnings();
    }

    #[test]
    fn addresses() {
        assert_libraries(
            "dart",
            path,
            &[
                "dart:core",
                "package:flutter/src/gestures/tap.dart",
                "package:sentry_flutter/src/x.dart",
                "/home/jane/.pub-cache/hosted/pub.dev/x-1.0.0/lib/x.dart",
            ],
            &[
                "package:shop_app/checkout/basket.dart",
                "package:flutter_shop/main.dart",
                "/src/lib/main.dart",
            ],
        );
    }
}
