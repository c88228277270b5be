//! Names of Swift and Objective-C: what must be one name, and what must stay two.

use super::super::{function, is_numbered_closure};

fn check(rows: &[(&str, &str)], platforms: &[&str]) {
    for (name, expected) in rows {
        for platform in platforms {
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
fn methods_of_swift_lose_types() {
    check(
        &[
            ("Basket.total.getter : Swift.Int", "Basket.total.getter"),
            ("Basket.total.setter : Swift.Int", "Basket.total.setter"),
            ("Basket.count.getter : Swift.Int", "Basket.count.getter"),
            ("Basket.pay(amount: Int) -> Bool", "Basket.pay"),
            ("Basket.ship(amount: Int) -> Bool", "Basket.ship"),
            ("Shop.Basket.pay() throws -> ()", "Shop.Basket.pay"),
            (
                "Shop.Basket.pay() async throws -> Swift.Int",
                "Shop.Basket.pay",
            ),
            (
                "@objc Shop.Basket.viewDidLoad() -> ()",
                "Shop.Basket.viewDidLoad",
            ),
            ("static Shop.Main.$main() -> ()", "Shop.Main.$main"),
            (
                "specialized Shop.Basket.pay(Swift.Int) -> ()",
                "Shop.Basket.pay",
            ),
            ("merged Shop.Basket.pay() -> ()", "Shop.Basket.pay"),
            (
                "generic specialization <Swift.Int> of Shop.Basket.pay<A>(A) -> ()",
                "Shop.Basket.pay",
            ),
            (
                "function signature specialization <Arg[0] = Dead> of Shop.Basket.pay() -> ()",
                "Shop.Basket.pay",
            ),
            (
                "(extension in Shop):Swift.Array.pay() -> ()",
                "Swift.Array.pay",
            ),
            (
                "static (extension in Shop):Swift.Array.pay() -> ()",
                "Swift.Array.pay",
            ),
            ("Shop.pay<A where A: Shop.Payable>(A) -> ()", "Shop.pay"),
            (
                "Shop.pay(with: (Swift.Int) -> Swift.Bool) -> ()",
                "Shop.pay",
            ),
            (
                "Shop.(Basket in _3F2504E04F8911D39A0C0305E82C3301).pay() -> ()",
                "Shop.Basket.pay",
            ),
            (
                "(1) await resume partial function for Shop.Basket.pay() -> ()",
                "Shop.Basket.pay",
            ),
            (
                "(2) suspend resume partial function for Shop.Basket.pay() -> ()",
                "Shop.Basket.pay",
            ),
            (
                "protocol witness for Shop.Payable.pay() -> () in conformance Shop.Basket : Shop.Payable in Shop",
                "Shop.Payable.pay",
            ),
            (
                "static Shop.Basket.== infix(Shop.Basket, Shop.Basket) -> Swift.Bool",
                "Shop.Basket.== infix",
            ),
            (
                "static Shop.Basket.< infix(Shop.Basket, Shop.Basket) -> Swift.Bool",
                "Shop.Basket.< infix",
            ),
        ],
        &["cocoa", "swift", "native"],
    );
}

#[test]
fn closures_of_swift_are_one_of_their_function() {
    check(
        &[
            ("closure #1 in Basket.pay()", "closure in Basket.pay"),
            ("closure #2 in Basket.pay()", "closure in Basket.pay"),
            ("closure #1 in Basket.ship()", "closure in Basket.ship"),
            (
                "closure #1 () -> () in Shop.Basket.pay() -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "closure #1 (Swift.Int) -> () in closure #2 () -> () in Shop.Basket.pay() -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "partial apply for closure #1 () -> () in Shop.Basket.pay() -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "implicit closure #3 () -> () in Shop.Basket.pay() -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "default argument 1 of Shop.Basket.pay(amount: Swift.Int) -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "implicit closure #1 () -> () in default argument 0 of Shop.Basket.pay(a: Swift.Int) -> ()",
                "closure in Shop.Basket.pay",
            ),
            (
                "inner #1 () -> () in Shop.Basket.pay() -> ()",
                "inner in Shop.Basket.pay",
            ),
            (
                "other #1 () -> () in Shop.Basket.pay() -> ()",
                "other in Shop.Basket.pay",
            ),
            (
                "closure #1 () -> () in inner #1 () -> () in Shop.Basket.pay() -> ()",
                "closure in inner in Shop.Basket.pay",
            ),
            ("thunk for @escaping @callee_guaranteed () -> ()", "closure"),
        ],
        &["cocoa", "swift", "native"],
    );
}

#[test]
fn mangled_swift_loses_numbers_of_closures() {
    check(
        &[
            (
                "$s4Shop14BasketViewCtrlC3payyyF",
                "$s4Shop14BasketViewCtrlC3payyyF",
            ),
            (
                "_$s4Shop14BasketViewCtrlC3payyyF",
                "$s4Shop14BasketViewCtrlC3payyyF",
            ),
            (
                "$s4Shop6BasketC3payyyFyycfU_",
                "$s4Shop6BasketC3payyyFyycfU_",
            ),
            (
                "$s4Shop6BasketC3payyyFyycfU0_",
                "$s4Shop6BasketC3payyyFyycfU_",
            ),
            (
                "$s4Shop6BasketC3payyyFyycfU1_",
                "$s4Shop6BasketC3payyyFyycfU_",
            ),
            (
                "$s4Shop6BasketC3payyyFyycfU1_TA",
                "$s4Shop6BasketC3payyyFyycfU_",
            ),
            (
                "$s4Shop6BasketC3payyyFyycfU2_yycfU0_",
                "$s4Shop6BasketC3payyyFyycfU_yycfU_",
            ),
            ("$s4Shop6BasketC3payyyYaFTY0_", "$s4Shop6BasketC3payyyYaF"),
            ("$s4Shop6BasketC3payyyYaFTQ1_", "$s4Shop6BasketC3payyyYaF"),
            (
                "$s4Shop6BasketC3payyyYaFTQ1_.resume.0",
                "$s4Shop6BasketC3payyyYaF",
            ),
            (
                "$s4Shop6BasketC4shipyyFyycfU_",
                "$s4Shop6BasketC4shipyyFyycfU_",
            ),
        ],
        &["cocoa", "native"],
    );
}

#[test]
fn methods_of_objective_c_stay_and_blocks_lose_numbers() {
    check(
        &[
            ("-[Basket pay:]", "-[Basket pay:]"),
            ("+[Basket pay:amount:]", "+[Basket pay:amount:]"),
            ("-[Basket(Shop) pay:]", "-[Basket(Shop) pay:]"),
            ("-[Basket pay:].cold.1", "-[Basket pay:]"),
            ("-[Basket pay:] + 52", "-[Basket pay:]"),
            ("__41-[Basket pay:]_block_invoke", "-[Basket pay:] block"),
            ("__41-[Basket pay:]_block_invoke_2", "-[Basket pay:] block"),
            (
                "__41-[Basket pay:]_block_invoke.123",
                "-[Basket pay:] block",
            ),
            (
                "__41-[Basket pay:]_block_invoke_2.cold.1",
                "-[Basket pay:] block",
            ),
            (
                "__42-[Basket ship:]_block_invoke_2",
                "-[Basket ship:] block",
            ),
            ("__pay_block_invoke_2", "pay::{block}"),
            ("__ship_block_invoke", "ship::{block}"),
            ("___ZN4shop3payEv_block_invoke_2", "shop::pay::{block}"),
            ("__copy_helper_block_e8_32s40w", "copy_helper_block"),
            ("__destroy_helper_block_e8_32s", "destroy_helper_block"),
            ("main", "main"),
            ("objc_msgSend", "objc_msgSend"),
        ],
        &["cocoa", "objc", "native"],
    );
}

#[test]
fn other_languages_on_apple_are_read_as_such() {
    check(
        &[
            ("shop::Basket<int>::total(int) const", "shop::Basket::total"),
            ("void pay<int>(int)", "pay"),
            ("pay(int)", "pay"),
            ("operator new(unsigned long)", "operator new"),
            (
                "<shop::Basket as core::fmt::Display>::fmt",
                "shop::Basket::fmt",
            ),
            ("_ZN4shop6Basket5totalEv", "shop::Basket::total"),
        ],
        &["cocoa"],
    );
    assert_eq!(function("<redacted>", "cocoa"), None);
}

#[test]
fn closures_are_known() {
    for (name, expected) in [
        ("closure #1 in Basket.pay()", true),
        (
            "partial apply for closure #1 () -> () in Shop.pay() -> ()",
            true,
        ),
        ("__41-[Basket pay:]_block_invoke_2", true),
        ("$s4Shop6BasketC3payyyFyycfU0_", true),
        ("inner #1 () -> () in Shop.Basket.pay() -> ()", false),
        ("Basket.pay(amount: Int) -> Bool", false),
        ("-[Basket pay:]", false),
    ] {
        let normalized = function(name, "cocoa").expect("a name");
        assert_eq!(
            is_numbered_closure(&normalized, "cocoa"),
            expected,
            "{name}"
        );
    }
}
