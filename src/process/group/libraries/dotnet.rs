//! Types of .NET, of Unity and of common packages, by namespace or assembly.
//! In: one frame. Out: whether its type is not the application's.

use crate::process::event::Frame;

use super::super::table::Table;

static NAMESPACES: Table = Table::new(&[
    "Amazon.",
    "Apache.NMS",
    "AutoMapper.",
    "Autofac.",
    "Azure.",
    "Castle.",
    "Confluent.Kafka",
    "Dapper.",
    "Elasticsearch.Net",
    "FSharp.",
    "FluentValidation.",
    "Google.Apis",
    "Google.Cloud",
    "Google.Protobuf",
    "GraphQL.",
    "Grpc.",
    "Hangfire.",
    "HotChocolate.",
    "IdentityServer4.",
    "ImageSharp.",
    "Internal.Runtime",
    "Interop.",
    "Java.Interop",
    "JetBrains.",
    "MS.Internal",
    "MS.Win32",
    "MassTransit.",
    "MediatR.",
    "Microsoft.",
    "MongoDB.",
    "Mono.",
    "MonoTouch.",
    "MySql.",
    "MySqlConnector.",
    "NHibernate.",
    "NLog.",
    "NServiceBus.",
    "NUnit.",
    "Newtonsoft.",
    "Npgsql.",
    "OpenTelemetry.",
    "Oracle.",
    "Polly.",
    "Quartz.",
    "RabbitMQ.",
    "RestSharp.",
    "SQLitePCL.",
    "Serilog.",
    "StackExchange.",
    "Swashbuckle.",
    "System.",
    "UnityEditor.",
    "UnityEngine.",
    "Windows.",
    "Xamarin.",
    "Xunit.",
    "log4net.",
    "xunit.",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    [&frame.module, &frame.package]
        .into_iter()
        .flatten()
        .any(|name| NAMESPACES.holds_beginning_of(name))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, module, package};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        NAMESPACES.assert_beginnings();
    }

    #[test]
    fn types_and_assemblies() {
        assert_libraries(
            "csharp",
            module,
            &[
                "System.Int32",
                "Microsoft.AspNetCore.Mvc.Infrastructure.ControllerActionInvoker",
                "Npgsql.NpgsqlConnection",
                "UnityEngine.Events.InvokableCall",
                "Sentry.SentrySdk",
            ],
            &[
                "Shop.Web.Services.StockService",
                "Systematic.Planner",
                "AspNetCoreGeneratedDocument.Views_Home_Index",
                "SentryGun.Turret",
            ],
        );
        assert_libraries(
            "csharp",
            package,
            &["System.Private.CoreLib, Version=9.0.0.0, Culture=neutral"],
            &["Shop.Web, Version=2.1.0.0"],
        );
    }
}
