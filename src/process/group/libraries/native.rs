//! Binaries, sources and functions of operating systems, runtimes and common libraries.
//! In: one frame. Out: whether it is not the application's, and whether its binary lies where applications lie.

use crate::process::event::Frame;

use super::super::image::binary_name;
use super::super::machinery;
use super::super::path::has_segment;
use super::super::table::Table;

mod crates;

static SYSTEM_FOLDERS: Table = Table::new(&[
    "/Applications/Xcode",
    "/Developer/",
    "/Library/",
    "/System/",
    "/apex/",
    "/lib/",
    "/lib64/",
    "/system/",
    "/system_ext/",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/share/dotnet/",
    "/usr/share/dotnet/",
    "/vendor/",
]);

/// Of Apple's systems, where only the name of the binary is known.
static FRAMEWORKS: Table = Table::new(&[
    "AVFAudio",
    "AVFCore",
    "AVFoundation",
    "Accelerate",
    "AddressBook",
    "AppKit",
    "AttributeGraph",
    "AudioToolbox",
    "CFNetwork",
    "Celestial",
    "Combine",
    "ContactsUI",
    "CoreAudio",
    "CoreBluetooth",
    "CoreData",
    "CoreFoundation",
    "CoreGraphics",
    "CoreImage",
    "CoreLocation",
    "CoreML",
    "CoreMedia",
    "CoreMotion",
    "CoreServices",
    "CoreText",
    "CoreUI",
    "CoreVideo",
    "CrashReporter",
    "Foundation",
    "FrontBoardServices",
    "GraphicsServices",
    "HIToolbox",
    "IOKit",
    "ImageIO",
    "JavaScriptCore",
    "LocalAuthentication",
    "MapKit",
    "MediaPlayer",
    "MediaToolbox",
    "Metal",
    "MetalKit",
    "Network",
    "PassKit",
    "Photos",
    "PhotosUI",
    "QuartzCore",
    "SafariServices",
    "SceneKit",
    "Security",
    "SpriteKit",
    "StoreKit",
    "SwiftUI",
    "SwiftUICore",
    "SystemConfiguration",
    "UIFoundation",
    "UIKit",
    "UIKitCore",
    "UserNotifications",
    "VideoToolbox",
    "ViewBridge",
    "Vision",
    "WebCore",
    "WebKit",
    "WebKitLegacy",
    "dyld",
    "dyld_sim",
]);

/// Frameworks that applications bring along.
static EMBEDDED: Table = Table::new(&[
    "AFNetworking",
    "Alamofire",
    "FBLPromises",
    "FBSDKCoreKit",
    "FBSDKLoginKit",
    "FirebaseAnalytics",
    "FirebaseCore",
    "FirebaseCrashlytics",
    "FirebaseMessaging",
    "Flutter",
    "GPUImage",
    "GoogleDataTransport",
    "GoogleMaps",
    "GoogleSignIn",
    "GoogleUtilities",
    "Kingfisher",
    "Lottie",
    "Moya",
    "NewRelic",
    "React",
    "Realm",
    "RealmSwift",
    "RxCocoa",
    "RxRelay",
    "RxSwift",
    "SDWebImage",
    "SnapKit",
    "hermes",
    "nanopb",
]);

/// Shared libraries of Linux, Android and Apple, wherever they lie.
static SHARED_LIBRARIES: Table = Table::new(&[
    "[vdso]",
    "[vsyscall]",
    "i965_dri",
    "iris_dri",
    "ld-linux",
    "ld-musl",
    "ld64.so",
    "libEGL",
    "libGL",
    "libICE",
    "libMobileGestalt",
    "libQt5",
    "libQt6",
    "libSM",
    "libX11",
    "libXext",
    "libandroid.so",
    "libandroid_runtime.so",
    "libart.so",
    "libasound",
    "libbinder.so",
    "libc++",
    "libc-2",
    "libc.musl",
    "libc.so",
    "libcairo",
    "libcrypto.so",
    "libcurl.so",
    "libdbus-1",
    "libdispatch.",
    "libdl-2",
    "libdl.so",
    "libdrm",
    "libdyld.",
    "libfbjni.so",
    "libflutter.so",
    "libfontconfig",
    "libfreetype",
    "libgbm",
    "libgcc_s",
    "libgdk",
    "libgio-2",
    "libglib-2",
    "libgobject-2",
    "libgthread-2",
    "libgtk-",
    "libhermes",
    "libhwui.so",
    "libjsc.so",
    "libjscexecutor",
    "libjsi.so",
    "liblog.so",
    "libm-2",
    "libm.so",
    "libmedia.so",
    "libmonochrome",
    "libnative-platform",
    "libnvidia",
    "libobjc.",
    "libopenjdk",
    "libpango",
    "libpthread",
    "libpulse",
    "libreactnative",
    "libresolv",
    "librt-2",
    "librt.so",
    "libsqlite",
    "libssl.so",
    "libstagefright",
    "libstdc++",
    "libswift",
    "libsystem_",
    "libturbomodule",
    "libunity.so",
    "libutils.so",
    "libvulkan",
    "libwayland",
    "libwebviewchromium",
    "libxcb",
    "libxkbcommon",
    "libxpc.",
    "libyoga",
    "linker64",
    "linux-gate",
    "linux-vdso",
    "radeonsi_dri",
    "swrast_dri",
]);

/// Libraries of Windows, in lower case, wherever they lie.
static DLLS: Table = Table::new(&[
    "advapi32.dll",
    "amdxx64.dll",
    "aticfx64.dll",
    "atidxx64.dll",
    "atio6axx.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "clr.dll",
    "clrjit.dll",
    "combase.dll",
    "comctl32.dll",
    "comdlg32.dll",
    "coreclr.dll",
    "crypt32.dll",
    "cryptbase.dll",
    "d2d1.dll",
    "d3d10",
    "d3d11",
    "d3d12",
    "d3d9.dll",
    "dbghelp.dll",
    "dinput8.dll",
    "dwmapi.dll",
    "dwrite.dll",
    "dxgi.dll",
    "gdi32.dll",
    "gdi32full.dll",
    "hostfxr.dll",
    "hostpolicy.dll",
    "ig4icd64.dll",
    "igc64.dll",
    "igd10",
    "imm32.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "mfplat.dll",
    "mscoree.dll",
    "mscorlib",
    "mscorwks.dll",
    "msctf.dll",
    "msvcp",
    "msvcr",
    "mswsock.dll",
    "ncrypt.dll",
    "ntdll.dll",
    "nvd3dum",
    "nvoglv",
    "nvwgf2um",
    "ole32.dll",
    "oleaut32.dll",
    "opengl32.dll",
    "powrprof.dll",
    "propsys.dll",
    "qt5",
    "qt6",
    "rpcrt4.dll",
    "sechost.dll",
    "secur32.dll",
    "setupapi.dll",
    "shcore.dll",
    "shell32.dll",
    "shlwapi.dll",
    "ucrtbase",
    "user32.dll",
    "uxtheme.dll",
    "vcruntime",
    "vulkan-1.dll",
    "webview2",
    "win32u.dll",
    "windows.storage.dll",
    "winhttp.dll",
    "wininet.dll",
    "winmm.dll",
    "wintrust.dll",
    "wow64",
    "ws2_32.dll",
    "wtsapi32.dll",
    "xinput1_",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    let path = frame.abs_path.as_deref();
    let filename = frame.filename.as_deref().filter(|name| path != Some(name));
    frame.package.as_deref().is_some_and(is_library_binary)
        || path.is_some_and(is_library_source)
        || filename.is_some_and(is_library_source)
        || frame
            .function
            .as_deref()
            .is_some_and(crates::is_library_function)
        || machinery::native_role(frame).is_some()
}

/// Whether an application's binary may lie there: anywhere but in the folders of the system. The SDK needs not say so.
pub(in super::super) fn has_own_binary(frame: &Frame<'_>) -> bool {
    frame
        .package
        .as_deref()
        .is_some_and(|package| package.starts_with('/') || package.as_bytes().get(1) == Some(&b':'))
}

fn is_library_binary(package: &str) -> bool {
    if SYSTEM_FOLDERS.holds_beginning_of(package) || is_of_windows(package) {
        return true;
    }
    let name = binary_name(package);
    let is_bare = name.len() == package.len();
    SHARED_LIBRARIES.holds_beginning_of(name)
        || (is_bare && FRAMEWORKS.holds(name))
        || (EMBEDDED.holds(name) && (is_bare || package.contains(".framework/")))
        || is_dll(name)
}

fn is_of_windows(package: &str) -> bool {
    package.get(1..).is_some_and(|path| {
        const FOLDER: &str = ":\\windows\\";
        path.get(..FOLDER.len())
            .is_some_and(|front| front.eq_ignore_ascii_case(FOLDER))
    })
}

/// Windows takes no notice of the case, and neither do the modules' lists.
fn is_dll(name: &str) -> bool {
    const LONGEST: usize = 24;
    let [.., b'.', b'd' | b'D', b'l' | b'L', b'l' | b'L'] = name.as_bytes() else {
        return false;
    };
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..name.len()) else {
        return false;
    };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|lower| DLLS.holds_beginning_of(lower))
}

/// Sources of compilers and of package managers, and of what projects copy into their tree.
fn is_library_source(path: &str) -> bool {
    if SYSTEM_FOLDERS.holds_beginning_of(path) {
        return true;
    }
    has_segment(path, |previous, segment| match segment {
        "rustc" | ".rustup" | "rustlib" | "vendor" | "third_party" | "thirdparty" | "Pods"
        | "sysdeps" | "vcpkg" | ".conan" | ".conan2" => true,
        "registry" => matches!(previous, "cargo" | ".cargo"),
        "checkouts" => matches!(previous, "git" | "SourcePackages"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, package, path};
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn tables_are_sorted() {
        SYSTEM_FOLDERS.assert_beginnings();
        SHARED_LIBRARIES.assert_beginnings();
        DLLS.assert_beginnings();
        FRAMEWORKS.assert_sorted();
        EMBEDDED.assert_sorted();
    }

    #[test]
    fn binaries() {
        assert_libraries(
            "native",
            package,
            &[
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/System/Library/PrivateFrameworks/UIKitCore.framework/UIKitCore",
                "/usr/lib/system/libsystem_platform.dylib",
                "/apex/com.android.art/lib64/libart.so",
                "/system/lib64/libhwui.so",
                r"C:\Windows\System32\ntdll.dll",
                r"c:\WINDOWS\System32\x.dll",
                "KERNELBASE.dll",
                r"C:\Shop\Qt5Core.dll",
                "UIKitCore",
                "libdispatch.dylib",
                "/private/var/containers/Bundle/Application/6B/Shop.app/Frameworks/Sentry.framework/Sentry",
                "/private/var/containers/Bundle/Application/6B/Shop.app/Frameworks/Alamofire.framework/Alamofire",
                "/private/var/containers/Bundle/Application/6B/Shop.app/Frameworks/libswiftCore.dylib",
                "/data/app/x/lib/arm64/libc++_shared.so",
                "/data/app/x/base.apk!libflutter.so",
                "linux-vdso.so.1",
            ],
            &[
                "/opt/shop/bin/shop-desktop",
                "/private/var/containers/Bundle/Application/6B/Shop.app/Shop",
                "/private/var/containers/Bundle/Application/6B/Shop.app/Frameworks/ShopKit.framework/ShopKit",
                "/private/var/containers/Bundle/Application/6B/Photos.app/Photos",
                "/Applications/Shop.app/Contents/MacOS/Shop",
                "/data/app/x/lib/arm64/libshop.so",
                "/data/app/x/lib/arm64/libapp.so",
                r"C:\Shop\shop.exe",
                r"C:\Shop\basket.dll",
                "é.dll",
                "libshop.so",
                "Shop",
            ],
        );
    }

    #[test]
    fn sources() {
        assert_libraries(
            "native",
            path,
            &[
                "/rustc/59807616e1fa/library/std/src/rt.rs",
                "/cargo/registry/sentry-core-0.49.5/src/hub.rs",
                "/home/jane/.cargo/registry/src/x/tokio-1.40.0/src/task.rs",
                "/home/jane/.cargo/git/checkouts/x/y.rs",
                "/src/vendor/zlib/inflate.c",
                "/src/third_party/abseil/base.cc",
                "/Users/jane/shop/Pods/Alamofire/Source/Session.swift",
                "./misc/../sysdeps/unix/sysv/linux/x86_64/clone3.S",
            ],
            &[
                "/srv/app/rust-shop/src/main.rs",
                "/srv/registry/src/main.rs",
                "/srv/app/hook.sh",
                "stock.rs",
            ],
        );
    }

    #[test]
    fn own_binaries_have_a_folder() {
        for (package, expected) in [
            ("/opt/shop/bin/shop", true),
            (r"C:\Shop\shop.exe", true),
            ("rust_shop", false),
            ("", false),
        ] {
            let frame = Frame {
                package: Some(Cow::Borrowed(package)),
                ..Frame::default()
            };
            assert_eq!(has_own_binary(&frame), expected, "{package}");
        }
    }
}
