//! Names of C, C++ and Rust: what must be one name, and what must stay two.

use super::super::{function, is_numbered_closure};

fn check(rows: &[(&str, &str)]) {
    for (name, expected) in rows {
        for platform in ["native", "c", "rust", "cocoa"] {
            let normalized = function(name, platform);
            assert_eq!(normalized.as_deref(), Some(*expected), "{platform}: {name}");
            let again = function(expected, platform);
            assert_eq!(
                again.as_deref(),
                Some(*expected),
                "again {platform}: {name}"
            );
        }
    }
}

#[test]
fn symbols_of_c_lose_what_linkers_append() {
    check(&[
        ("main", "main"),
        ("pay_2", "pay_2"),
        ("memcpy@@GLIBC_2.14", "memcpy"),
        ("memcpy@GLIBC_2.2.5", "memcpy"),
        ("SSL_read@@OPENSSL_3.0.0", "SSL_read"),
        ("memcpy@plt", "memcpy"),
        ("_pay@8", "pay"),
        ("@pay@8", "pay"),
        ("pay@@16", "pay"),
        ("run.isra.0", "run"),
        ("run.constprop.1.cold", "run"),
        ("run.part.0", "run"),
        ("run.cold", "run"),
        ("run.cold.3", "run"),
        ("run.llvm.1234567890", "run"),
        ("run.resume.0", "run"),
        ("run.lto_priv.2", "run"),
        ("run.__uniq.12345678901234", "run"),
        ("run.1", "run"),
        ("run [clone .isra.0]", "run"),
        ("run + 52", "run"),
        ("run+0x34", "run"),
        ("pay__anon_1234", "pay"),
        ("List__struct_45.append", "List__struct.append"),
        ("__libc_start_main", "__libc_start_main"),
    ]);
    for name in ["<unknown>", "<redacted>", "??", "?", "", "  "] {
        assert_eq!(function(name, "native"), None, "{name}");
    }
}

#[test]
fn functions_of_cpp_lose_types() {
    check(&[
        ("shop::Basket::total", "shop::Basket::total"),
        ("shop::Basket::total(int)", "shop::Basket::total"),
        (
            "void shop::Basket<int>::total(std::vector<int> const&) const",
            "shop::Basket::total",
        ),
        (
            "shop::Basket<std::pair<int, A<B>>>::total() &&",
            "shop::Basket::total",
        ),
        (
            "shop::Basket<(shop::Kind)1>::total()",
            "shop::Basket::total",
        ),
        (
            "shop::Basket<&shop::A::operator->>::total()",
            "shop::Basket::total",
        ),
        ("unsigned long long shop::size()", "shop::size"),
        ("char* pay(int)", "pay"),
        ("char *pay(int)", "pay"),
        ("void (*pay(int))(char)", "pay"),
        ("decltype(a + b) shop::add<int>(int)", "shop::add"),
        ("auto shop::add<int>(int) -> decltype(x)", "shop::add"),
        ("void shop::add(T) [with T = int]", "shop::add"),
        ("void shop::add<int>(int) requires true", "shop::add"),
        ("std::string shop::name[abi:cxx11](int)", "shop::name"),
        (
            "public: virtual void __thiscall shop::Basket::pay(int)",
            "shop::Basket::pay",
        ),
        (
            "[thunk]:public: virtual void __cdecl shop::Basket::pay`adjustor{16}' (void)",
            "shop::Basket::pay",
        ),
        (
            "non-virtual thunk to shop::Basket::pay(int)",
            "shop::Basket::pay",
        ),
        ("shop::Basket::~Basket()", "shop::Basket::~Basket"),
        (
            "shop::Basket::`scalar deleting destructor'(unsigned int)",
            "shop::Basket::`scalar deleting destructor'",
        ),
        ("foo(int) (.isra.0)", "foo"),
    ]);
}

#[test]
fn operators_keep_their_signs() {
    check(&[
        ("bool operator<(A, B)", "operator<"),
        ("bool operator<=(A, B)", "operator<="),
        ("bool operator>(A, B)", "operator>"),
        ("auto operator<=>(A, B)", "operator<=>"),
        (
            "std::ostream& operator<< <char>(std::ostream&, char)",
            "operator<<",
        ),
        (
            "std::ostream& shop::operator<<(std::ostream&, shop::Basket const&)",
            "shop::operator<<",
        ),
        (
            "std::istream& shop::operator>>(std::istream&, shop::Basket&)",
            "shop::operator>>",
        ),
        (
            "shop::Ptr<int>::operator->() const",
            "shop::Ptr::operator->",
        ),
        ("shop::Ptr<int>::operator*() const", "shop::Ptr::operator*"),
        ("shop::Fn::operator()(int) const", "shop::Fn::operator()"),
        ("shop::List::operator[](int)", "shop::List::operator[]"),
        ("operator new(unsigned long)", "operator new"),
        ("operator new[](unsigned long)", "operator new[]"),
        ("operator delete(void*)", "operator delete"),
        (
            "shop::Ptr::operator bool() const",
            "shop::Ptr::operator bool",
        ),
        (
            "shop::Name::operator std::string() const",
            "shop::Name::operator std::string",
        ),
        (
            "shop::Name::operator std::vector<int>() const",
            "shop::Name::operator std::vector",
        ),
        ("double operator\"\" _kg(long double)", "operator\"\"_kg"),
        ("shop::operators(int)", "shop::operators"),
    ]);
}

#[test]
fn closures_of_cpp_lose_numbers() {
    check(&[
        (
            "pay(int)::{lambda(int)#1}::operator()(int) const",
            "pay::{lambda}::operator()",
        ),
        (
            "pay(int)::{lambda(int)#2}::operator()(int) const",
            "pay::{lambda}::operator()",
        ),
        (
            "pay()::{lambda(std::function<void (int)>)#1}::operator()(int) const",
            "pay::{lambda}::operator()",
        ),
        (
            "pay()::{lambda()#1}::operator()() const::{lambda()#2}::operator()() const",
            "pay::{lambda}::operator()::{lambda}::operator()",
        ),
        (
            "pay()::$_0::operator()() const",
            "pay::{lambda}::operator()",
        ),
        ("pay()::$_12::__invoke(int)", "pay::{lambda}::__invoke"),
        (
            "pay()::'lambda'(int)::operator()(int) const",
            "pay::{lambda}::operator()",
        ),
        (
            "pay()::'lambda0'(int)::operator()(int) const",
            "pay::{lambda}::operator()",
        ),
        (
            "pay::<lambda_0a1b2c3d4e5f60718293a4b5c6d7e8f9>::operator()",
            "pay::{lambda}::operator()",
        ),
        (
            "pay::<lambda_1>::operator()(int)",
            "pay::{lambda}::operator()",
        ),
        ("pay(int)::<lambda(int)>", "pay::{lambda}"),
        (
            "(lambda at shop.cc:12:3)::operator()() const",
            "{lambda}::operator()",
        ),
        (
            "ship()::$_0::operator()() const",
            "ship::{lambda}::operator()",
        ),
        (
            "`void __cdecl pay(int)'::`2'::<lambda_1>::operator()(void)",
            "pay::{lambda}::operator()",
        ),
        (
            "`public: void __cdecl shop::Basket::pay(int)'::`5'::Local::run",
            "shop::Basket::pay::Local::run",
        ),
        ("pay()::{unnamed type#1}::run()", "pay::{unnamed}::run"),
        ("pay()::'unnamed0'::run()", "pay::{unnamed}::run"),
    ]);
}

#[test]
fn anonymous_namespaces_have_one_name() {
    check(&[
        ("(anonymous namespace)::pay(int)", "{anon}::pay"),
        ("`anonymous namespace'::pay", "{anon}::pay"),
        ("`anonymous-namespace'::pay(int)", "{anon}::pay"),
        ("{anonymous}::pay(int)", "{anon}::pay"),
        ("<unnamed>::pay(int)", "{anon}::pay"),
        ("?A0x1b2c3d4e::pay", "{anon}::pay"),
        ("_GLOBAL__N_1::pay(int)", "{anon}::pay"),
        ("_GLOBAL__N_1::pay", "{anon}::pay"),
        ("shop::(anonymous namespace)::pay(int)", "shop::{anon}::pay"),
        (
            "void shop::(anonymous namespace)::Basket<int>::pay(int)",
            "shop::{anon}::Basket::pay",
        ),
        ("shop::(anonymous class)::pay(int)", "shop::{unnamed}::pay"),
    ]);
}

#[test]
fn functions_of_rust_lose_hashes_and_numbers() {
    check(&[
        (
            "rust_shop::stock::reserve::h0123456789abcdef",
            "rust_shop::stock::reserve",
        ),
        ("rust_shop::stock::reserve", "rust_shop::stock::reserve"),
        ("rust_shop::stock::release", "rust_shop::stock::release"),
        ("shop::run::{closure#3}", "shop::run::{closure}"),
        ("shop::run::{{closure}}", "shop::run::{closure}"),
        ("shop::run::closure$0", "shop::run::{closure}"),
        ("shop::run::closure_env$1", "shop::run::{closure}"),
        ("shop::run::{closure_env#0}", "shop::run::{closure}"),
        ("shop::stop::{closure#3}", "shop::stop::{closure}"),
        (
            "shop::run::{closure#0}::{closure#1}",
            "shop::run::{closure}::{closure}",
        ),
        ("shop::{impl#3}::total", "shop::{impl}::total"),
        ("shop::impl$12::total", "shop::{impl}::total"),
        ("shop::run::{async_fn#0}", "shop::run::{async_fn}"),
        ("shop::run::{async_fn_env#0}", "shop::run::{async_fn}"),
        ("shop::run::{async_block#2}", "shop::run::{async_block}"),
        (
            "shop::run::{async_block_env#2}<alloc::string::String>",
            "shop::run::{async_block}",
        ),
        ("shop::run::{coroutine#0}", "shop::run::{coroutine}"),
        (
            "{closure#1}<rust_shop::main::{closure_env#0}, u32>",
            "{closure}",
        ),
        (
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            "core::ops::function::FnOnce::call_once{vtable.shim}",
        ),
        (
            "core::ops::function::FnOnce::call_once{shim:vtable#0}",
            "core::ops::function::FnOnce::call_once{shim:vtable}",
        ),
        (
            "core::panicking::panic_display::<&str>",
            "core::panicking::panic_display",
        ),
        (
            "std::panic::catch_unwind::<std::rt::lang_start_internal::{closure#0}, isize>",
            "std::panic::catch_unwind",
        ),
        (
            "__rust_begin_short_backtrace<fn(), ()>",
            "__rust_begin_short_backtrace",
        ),
        ("take::<fn(u8) -> u8>::inner", "take::inner"),
    ]);
}

#[test]
fn methods_of_rust_keep_their_type() {
    check(&[
        (
            "<shop::Basket<T> as core::fmt::Display>::fmt",
            "shop::Basket::fmt",
        ),
        (
            "<shop::Basket as core::fmt::Display>::fmt",
            "shop::Basket::fmt",
        ),
        (
            "<&shop::Basket as core::fmt::Display>::fmt",
            "shop::Basket::fmt",
        ),
        (
            "shop::<impl core::fmt::Display for shop::Basket>::fmt",
            "shop::Basket::fmt",
        ),
        (
            "<shop::Order as core::fmt::Display>::fmt",
            "shop::Order::fmt",
        ),
        (
            "<T as core::convert::Into<U>>::into",
            "core::convert::Into::into",
        ),
        (
            "<T as core::convert::TryInto<U>>::try_into",
            "core::convert::TryInto::try_into",
        ),
        (
            "<&mut F as core::ops::function::FnOnce<A>>::call_once",
            "core::ops::function::FnOnce::call_once",
        ),
        (
            "<core::iter::Map<I, fn() -> T> as Iterator>::next",
            "core::iter::Map::next",
        ),
        ("<shop::Basket>::total", "shop::Basket::total"),
        ("<shop::Basket<u8>>::total", "shop::Basket::total"),
        ("shop::Basket<u8>::total", "shop::Basket::total"),
        ("<str>::parse::<u32>", "str::parse"),
        ("core::str::<impl str>::parse", "str::parse"),
        ("<[u8]>::concat", "[]::concat"),
        ("alloc::slice::<impl [T]>::concat", "[]::concat"),
        ("<(A, B) as shop::Pay>::pay", "shop::Pay::pay"),
        (
            "<&dyn core::ops::function::Fn<(), Output = i32> + core::marker::Sync as core::ops::function::FnOnce<()>>::call_once",
            "core::ops::function::Fn::call_once",
        ),
        (
            "<alloc::boxed::Box<dyn for<'a, 'b> core::ops::function::Fn<(&'a std::panic::PanicHookInfo<'b>,), Output = ()> + core::marker::Sync + core::marker::Send> as core::ops::function::Fn<(&std::panic::PanicHookInfo,)>>::call",
            "alloc::boxed::Box::call",
        ),
        (
            "<sentry_panic::PanicIntegration as sentry_core::integration::Integration>::setup::{{closure}}::{{closure}}",
            "sentry_panic::PanicIntegration::setup::{closure}::{closure}",
        ),
        (
            "<std::sys::thread::unix::Thread>::new::thread_start",
            "std::sys::thread::unix::Thread::new::thread_start",
        ),
        (
            "<shop::run::{closure#0} as core::ops::function::FnOnce<()>>::call_once",
            "shop::run::{closure}::call_once",
        ),
    ]);
}

#[test]
fn mangled_symbols_are_the_names_they_stand_for() {
    check(&[
        (
            "_ZN4shop5stock7reserve17h0123456789abcdefE",
            "shop::stock::reserve",
        ),
        (
            "_ZN4shop5stock7reserve17hfedcba9876543210E",
            "shop::stock::reserve",
        ),
        (
            "_ZN4shop5stock7reserve17hfedcba9876543210E.llvm.123",
            "shop::stock::reserve",
        ),
        (
            "_ZN4shop3run28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
            "shop::run::{closure}",
        ),
        ("_RNvNtCs1234_4shop5stock7reserve", "shop::stock::reserve"),
        ("_RNvNtCs5678_4shop5stock7reserve", "shop::stock::reserve"),
        ("_RNCNvCs1234_4shop3run0", "shop::run::{closure}"),
        ("_RNCNvCs1234_4shop3runs_0", "shop::run::{closure}"),
        (
            "_ZNK4shop6BasketIiE5totalERKSt6vectorIiSaIiEE",
            "shop::Basket::total",
        ),
        ("_ZN4shop6Basket5totalEv.cold", "shop::Basket::total"),
        ("__ZN4shop6Basket5totalEv", "shop::Basket::total"),
        ("_ZN12_GLOBAL__N_13payEi", "{anon}::pay"),
        ("_ZZ3payiENKUliE_clEi", "pay::{lambda}::operator()"),
        ("_ZZ3payiENKUliE0_clEi", "pay::{lambda}::operator()"),
        ("_ZZ3payiENK3$_0clEv", "pay::{lambda}::operator()"),
        ("_ZlsRSoRK6Basket", "operator<<"),
        ("_ZN6BasketC1Ev", "Basket::Basket"),
        ("_ZN6BasketD0Ev", "Basket::~Basket"),
        ("_ZThn16_N4shop6Basket3payEi", "shop::Basket::pay"),
        ("_ZNK3PtrcvbEv", "Ptr::operator bool"),
        (
            "_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc",
            "std::operator<<",
        ),
        ("_ZN3fooB5cxx113barEv", "foo::bar"),
        ("?pay@?A0x1b2c3d4e@@YAXXZ", "?pay@?A@@YAXXZ"),
        ("?pay@Basket@@QEAAXXZ", "?pay@Basket@@QEAAXXZ"),
        (
            "??R<lambda_0a1b2c3d4e5f60718293a4b5c6d7e8f9>@@QEBAXXZ",
            "??R<lambda>@@QEBAXXZ",
        ),
        ("_Zoo", "_Zoo"),
        ("_Reset", "_Reset"),
    ]);
}

#[test]
fn unbalanced_names_give_what_can_be_read() {
    for (name, expected) in [
        ("shop::Basket<int", "shop::Basket"),
        ("shop::pay(int", "shop::pay"),
        ("shop::pay)", "shop::pay"),
        ("shop::{closure", "shop"),
        (">>>", ">>>"),
        ("<", "<"),
        ("()", "()"),
        ("`x", "`x"),
        ("`'`'", "`'`'"),
    ] {
        assert_eq!(
            function(name, "native").as_deref(),
            Some(expected),
            "{name}"
        );
    }
}

#[test]
fn closures_are_known() {
    for (name, expected) in [
        ("shop::run::{closure#3}", true),
        ("shop::run::{{closure}}", true),
        ("pay()::$_0::operator()() const", true),
        ("pay()::{lambda(int)#1}::__invoke(int)", true),
        (
            "<shop::run::{closure#0} as core::ops::function::FnOnce<()>>::call_once",
            true,
        ),
        ("__pay_block_invoke_2", true),
        ("shop::Fn::operator()(int)", false),
        ("shop::run", false),
        ("closure", true),
    ] {
        let normalized = function(name, "native").expect("a name");
        assert_eq!(
            is_numbered_closure(&normalized, "native"),
            expected,
            "{name}"
        );
    }
}
