//! Names of the Java virtual machine: what must be one name, and what must stay two.

use super::super::{file, function, is_numbered_class, is_numbered_closure, module};

fn check(rows: &[(&str, &str)], normalize: impl Fn(&str) -> Option<String>) {
    for (name, expected) in rows {
        assert_eq!(normalize(name).as_deref(), Some(*expected), "{name}");
        assert_eq!(
            normalize(expected).as_deref(),
            Some(*expected),
            "again: {name}"
        );
    }
}

#[test]
fn classes_lose_what_generators_append() {
    check(
        &[
            ("org.example.Basket", "org.example.Basket"),
            ("org.example.v2.Basket", "org.example.v2.Basket"),
            ("org.example.Map$Entry", "org.example.Map$Entry"),
            ("org.example.Map$Key", "org.example.Map$Key"),
            ("org.example.Utf8", "org.example.Utf8"),
            ("org.example.Base64$Encoder", "org.example.Base64$Encoder"),
            (
                "org.example.Order$Base64Util2$Entry",
                "org.example.Order$Base64Util2$Entry",
            ),
            ("org.example.Order$kRtNmQ2x9Z", "org.example.Order"),
            (
                "jdk.internal.reflect.GeneratedMethodAccessor12",
                "jdk.internal.reflect.GeneratedMethodAccessor",
            ),
            (
                "jdk.internal.reflect.GeneratedConstructorAccessor3",
                "jdk.internal.reflect.GeneratedConstructorAccessor",
            ),
            (
                "sun.reflect.GeneratedSerializationConstructorAccessor1",
                "sun.reflect.GeneratedSerializationConstructorAccessor",
            ),
            (
                "org.example.StockService$$EnhancerBySpringCGLIB$$1c2d3e4f",
                "org.example.StockService$EnhancerBySpringCGLIB",
            ),
            (
                "org.example.StockService$$EnhancerBySpringCGLIB$$7",
                "org.example.StockService$EnhancerBySpringCGLIB",
            ),
            (
                "org.example.StockService$$EnhancerBySpringCGLIB$$deadbeef",
                "org.example.StockService$EnhancerBySpringCGLIB",
            ),
            (
                "org.example.StockService$$SpringCGLIB$$0",
                "org.example.StockService$SpringCGLIB",
            ),
            (
                "org.example.StockService$$FastClassBySpringCGLIB$$ab12cd34",
                "org.example.StockService$FastClassBySpringCGLIB",
            ),
            (
                "org.example.C$$EnhancerByGuice$$ae46bc12$$FastClassByGuice$$bc",
                "org.example.C$EnhancerByGuice$FastClassByGuice",
            ),
            (
                "org.example.C$EnhancerByGuice$ae46",
                "org.example.C$EnhancerByGuice",
            ),
            (
                "org.example.Order$HibernateProxy$oRWxjAWT",
                "org.example.Order$HibernateProxy",
            ),
            (
                "org.example.Order$HibernateProxy$abcdefgh",
                "org.example.Order$HibernateProxy",
            ),
            (
                "org.example.Basket$HibernateProxy$oRWxjAWT",
                "org.example.Basket$HibernateProxy",
            ),
            (
                "org.example.Order$MockitoMock$1396735",
                "org.example.Order$MockitoMock",
            ),
            (
                "org.example.Order$ByteBuddy$kRtNmQ2x",
                "org.example.Order$ByteBuddy",
            ),
            (
                "org.example.Order$MockitoMock$12$auxiliary$kRtNmQ2x",
                "org.example.Order$MockitoMock$auxiliary",
            ),
            (
                "org.example.R_$$_javassist_seam_74",
                "org.example.R_$_javassist_seam",
            ),
            ("org.example.R_$$_javassist_3", "org.example.R_$_javassist"),
            ("org.example.Item_$$_jvst7f_3", "org.example.Item_$_jvst"),
            ("com.sun.proxy.$Proxy12", "com.sun.proxy.$Proxy"),
            ("jdk.proxy2.$Proxy12", "jdk.proxy.$Proxy"),
            ("jdk.proxy3.$Proxy7", "jdk.proxy.$Proxy"),
            (
                "org.example.Bean$$OwbNormalScopeProxy0",
                "org.example.Bean$OwbNormalScopeProxy",
            ),
        ],
        |name| module(name, "java").map(Into::into),
    );
}

#[test]
fn lambdas_and_local_classes_lose_numbers() {
    check(
        &[
            ("org.example.A$$Lambda$14", "org.example.A$Lambda"),
            (
                "org.example.A$$Lambda$14/0x0000000800066840",
                "org.example.A$Lambda",
            ),
            (
                "org.example.A$$Lambda/0x00007f0b1c000a00",
                "org.example.A$Lambda",
            ),
            (
                "org.example.A$$Lambda$200/1829164700",
                "org.example.A$Lambda",
            ),
            ("org.example.B$$Lambda$14", "org.example.B$Lambda"),
            (
                "java.lang.invoke.LambdaForm$MH/0x0000000800c1b400",
                "java.lang.invoke.LambdaForm$MH",
            ),
            (
                "java.lang.invoke.LambdaForm$MH.0x0000000800c1b400",
                "java.lang.invoke.LambdaForm$MH",
            ),
            (
                "java.lang.invoke.LambdaForm$DMH.123",
                "java.lang.invoke.LambdaForm$DMH",
            ),
            ("org.example.M$onCreate$1", "org.example.M$onCreate"),
            ("org.example.M$onCreate$2", "org.example.M$onCreate"),
            ("org.example.M$onPause$1", "org.example.M$onPause"),
            ("org.example.M$1", "org.example.M"),
            ("org.example.M$1Local", "org.example.M$Local"),
            ("org.example.M$2Local", "org.example.M$Local"),
            ("org.example.M$1Other", "org.example.M$Other"),
            (
                "org.example.M$$ExternalSyntheticLambda3",
                "org.example.M$ExternalSyntheticLambda",
            ),
            (
                "org.example.M$$ExternalSyntheticOutline0",
                "org.example.M$ExternalSyntheticOutline",
            ),
            (
                "org.example.-$$Lambda$Main$oQ3x9ZkR7bT2m",
                "org.example.-$Lambda$Main",
            ),
            (
                "org.example.Foo$$anonfun$bar$1",
                "org.example.Foo$anonfun$bar",
            ),
            (
                "org.example.Foo$$anonfun$baz$1",
                "org.example.Foo$anonfun$baz",
            ),
            ("org.example.Foo$$anon$1", "org.example.Foo$anon"),
            ("org.example.Foo$", "org.example.Foo"),
            (
                "org.example.ComposableSingletons$MainKt$lambda-1$1",
                "org.example.ComposableSingletons$MainKt$lambda",
            ),
            ("org.example.Script1", "org.example.Script"),
            (
                "org.example.Foo$_run_closure1",
                "org.example.Foo$_run_closure",
            ),
            (
                "org.example.Foo$_run_closure2_closure3",
                "org.example.Foo$_run_closure_closure",
            ),
            (
                "org.example.Foo$_pay_closure2",
                "org.example.Foo$_pay_closure",
            ),
            ("user$eval__1234", "user$eval"),
            ("user$eval1234", "user$eval"),
            ("shop.core$pay$fn__5921", "shop.core$pay$fn"),
            ("shop.core$pay$fn__12__auto____34", "shop.core$pay$fn"),
            ("shop.core$ship$fn__5921", "shop.core$ship$fn"),
            ("shop.core$reify__77", "shop.core$reify"),
            ("shop.core$total__1234", "shop.core$total"),
        ],
        |name| module(name, "java").map(Into::into),
    );
}

#[test]
fn files_are_named_after_classes() {
    for (name, expected) in [
        (
            "EntriesResource_$$_javassist_74.java",
            "EntriesResource_$_javassist.java",
        ),
        (
            "EntriesResource_$$_javassist_9.java",
            "EntriesResource_$_javassist.java",
        ),
        ("Basket.java", "Basket.java"),
        ("Basket2.kt", "Basket2.kt"),
    ] {
        assert_eq!(file(name, "java"), expected);
    }
    assert_eq!(file("a$1.py", "python"), "a$1.py");
}

#[test]
fn methods_lose_numbers() {
    check(
        &[
            ("reserve", "reserve"),
            ("reserve2", "reserve2"),
            ("<init>", "<init>"),
            ("lambda$pay$0", "pay$lambda"),
            ("lambda$pay$12", "pay$lambda"),
            ("lambda$ship$0", "ship$lambda"),
            ("lambda$null$3", "lambda"),
            ("lambda$0", "lambda"),
            ("lambda$new$1", "new$lambda"),
            ("lambda$onCreate$0$com-acme-Main", "onCreate$lambda"),
            ("onCreate$lambda$0", "onCreate$lambda"),
            ("onCreate$lambda-1", "onCreate$lambda"),
            ("onCreate$lambda-1$lambda-0", "onCreate$lambda"),
            ("$anonfun$main$1", "main$lambda"),
            ("$anonfun$main$1$adapted", "main$lambda"),
            ("$anonfun$stop$1", "stop$lambda"),
            ("$r8$lambda$oQ3x9ZkR7bT2m-_x", "$r8$lambda"),
            ("access$000", "access"),
            ("access$100", "access"),
            ("access$getTotal$p", "access$getTotal$p"),
            ("apply$mcV$sp", "apply"),
            ("apply$mcII$sp", "apply"),
            ("pay$default", "pay"),
            ("pay$default$2", "pay"),
            ("pay$1", "pay"),
            ("liftedTree1$1", "liftedTree"),
            ("pay-0E7RQCE", "pay"),
            ("pay-impl", "pay"),
            ("my-request", "my-request"),
            ("total_$eq", "total_$eq"),
            ("$plus$plus", "$plus$plus"),
            ("$colon$colon", "$colon$colon"),
            ("_jspx_meth_c_005fif_0", "_jspx_meth_c_005fif"),
            ("_jspx_meth_c_005fif_12", "_jspx_meth_c_005fif"),
            ("_jspx_meth_c_005fforEach_0", "_jspx_meth_c_005fforEach"),
            ("invokeSuspend", "invokeSuspend"),
            ("doCall", "doCall"),
        ],
        |name| function(name, "kotlin").map(Into::into),
    );
}

#[test]
fn closures_are_known() {
    for (name, expected) in [
        ("lambda$pay$0", true),
        ("lambda$null$3", true),
        ("onCreate$lambda-1", true),
        ("pay", false),
        ("access$000", false),
    ] {
        let normalized = function(name, "java").expect("a name");
        assert_eq!(is_numbered_closure(&normalized, "java"), expected, "{name}");
    }
    for (name, expected) in [
        ("org.example.M$1", true),
        ("org.example.M$onCreate$1", true),
        ("org.example.A$$Lambda$14/0x0000000800066840", true),
        ("org.example.M$$ExternalSyntheticLambda3", true),
        ("org.example.Map$Entry", false),
        ("org.example.Basket", false),
        ("com.sun.proxy.$Proxy12", false),
    ] {
        assert_eq!(is_numbered_class(name, "java"), expected, "{name}");
    }
}
