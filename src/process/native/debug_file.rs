//! Debug files made ready for look-ups. In: a file as a build makes it: ELF, Mach-O, PE, PDB, Breakpad, or a `ProGuard` mapping. Out: for each
//! object in it what it is, and bytes to keep: symbols by address, rules for unwinding, names by class.

use proguard::{ProguardCache, ProguardMapping};
use serde::{Deserialize, Serialize};
use symbolic_cfi::AsciiCfiWriter;
use symbolic_common::DebugId;
use symbolic_debuginfo::{Archive, FileFormat, Object};
use symbolic_symcache::SymCacheConverter;

pub const PROGUARD: &str = "proguard";
/// Objects of one file.
const MOST_OBJECTS: usize = 16;

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// As [`canonical`] writes it; none where the object has none.
    pub debug_id: Option<String>,
    pub code_id: Option<String>,
    /// `elf`, `macho`, `pe`, `pdb`, `breakpad`, `proguard`
    pub kind: String,
    /// `x86_64`, `arm64`, `any`
    pub cpu: String,
    /// `symtab`, `debug`, `unwind`, `mapping`
    pub features: Vec<String>,
    /// Why something of it cannot be used.
    pub problem: Option<String>,
}

/// An object with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    pub facts: Facts,
    /// Symbols by address, or names by class.
    pub symbols: Option<Vec<u8>>,
    /// `STACK CFI` and `STACK WIN` records of Breakpad.
    pub unwind: Option<Vec<u8>>,
}

/// Why a file is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DebugFileError {
    #[error(
        "this is no debug file that Bugle reads: ELF, Mach-O, PE, PDB, Breakpad symbols, or a ProGuard mapping with line numbers"
    )]
    Unknown,
    #[error("the debug file cannot be read: {0}")]
    Unreadable(String),
}

/// An id in the form that is kept and looked up: a UUID in lower case, with the age behind it where that is not 0.
pub fn canonical(text: &str) -> Option<String> {
    let id: DebugId = text.trim().parse().ok()?;
    (!id.is_nil()).then(|| id.to_string())
}

/// Reads a file. Takes several times its size of memory; a hostile one may take all of it. `name` tells `ProGuard` mappings, which have no
/// mark of their own: `/proguard/UUID.txt`.
pub fn compile(name: &str, bytes: &[u8]) -> Result<Vec<Compiled>, DebugFileError> {
    if Archive::peek(bytes) == FileFormat::Unknown {
        return Ok(vec![mapping(name, bytes)?]);
    }
    let archive = Archive::parse(bytes).map_err(|error| unreadable(&error))?;
    let mut compiled = Vec::new();
    for object in archive.objects().take(MOST_OBJECTS) {
        let object = object.map_err(|error| unreadable(&error))?;
        compiled.push(of_object(&object));
    }
    if compiled.is_empty() {
        return Err(DebugFileError::Unknown);
    }
    Ok(compiled)
}

fn unreadable(error: &dyn std::error::Error) -> DebugFileError {
    DebugFileError::Unreadable(error.to_string())
}

fn of_object(object: &Object<'_>) -> Compiled {
    let mut features = Vec::new();
    for (name, is_there) in [
        ("symtab", object.has_symbols()),
        ("debug", object.has_debug_info()),
        ("unwind", object.has_unwind_info()),
    ] {
        if is_there {
            features.push(name.to_owned());
        }
    }
    let mut problem = None;
    let mut symbols = None;
    if object.has_symbols() || object.has_debug_info() {
        match symbols_of(object) {
            Ok(bytes) => symbols = Some(bytes),
            Err(error) => problem = Some(format!("its symbols cannot be read: {error}")),
        }
    }
    let mut unwind = None;
    if object.has_unwind_info() {
        match AsciiCfiWriter::<Vec<u8>>::transform(object) {
            Ok(bytes) => unwind = Some(bytes).filter(|bytes| !bytes.is_empty()),
            Err(error) => problem = Some(format!("its unwind rules cannot be read: {error}")),
        }
    }
    let debug_id = object.debug_id();
    Compiled {
        facts: Facts {
            debug_id: (!debug_id.is_nil()).then(|| debug_id.to_string()),
            code_id: object.code_id().map(|id| id.to_string()),
            kind: object.file_format().name().to_owned(),
            cpu: object.arch().name().to_owned(),
            features,
            problem,
        },
        symbols,
        unwind,
    }
}

fn symbols_of(object: &Object<'_>) -> Result<Vec<u8>, String> {
    let mut converter = SymCacheConverter::new();
    converter
        .process_object(object)
        .map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    converter
        .serialize(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// A `ProGuard` or R8 mapping. Its id stands in its name, as the build tools write it; events name the same.
fn mapping(name: &str, bytes: &[u8]) -> Result<Compiled, DebugFileError> {
    let mapping = ProguardMapping::new(bytes);
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.strip_suffix(".txt").unwrap_or(stem);
    let Some(id) = canonical(stem).filter(|_| mapping.is_valid()) else {
        return Err(DebugFileError::Unknown);
    };
    let mut symbols = Vec::new();
    ProguardCache::write(&mapping, &mut symbols).map_err(|error| unreadable(&error))?;
    Ok(Compiled {
        facts: Facts {
            debug_id: Some(id),
            code_id: None,
            kind: PROGUARD.to_owned(),
            cpu: "any".to_owned(),
            features: vec!["mapping".to_owned()],
            problem: None,
        },
        symbols: Some(symbols),
        unwind: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of Breakpad, as `dump_syms` writes it.
    pub const BREAKPAD: &str = "MODULE Linux x86_64 83AFBDF8C3315037BDDF0B088950A56A0 shop\nFILE 0 /src/shop/cart.c\n\
        FUNC 1000 20 0 total\n1000 8 41 0\n1008 18 42 0\nFUNC 1040 10 0 main\n1040 10 60 0\nSTACK CFI INIT 1000 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n";

    #[test]
    fn symbols_of_breakpad_are_compiled() {
        let compiled = compile("shop.sym", BREAKPAD.as_bytes()).expect("compiled");
        let [object] = &compiled[..] else {
            panic!("one object")
        };
        assert_eq!(
            object.facts.debug_id.as_deref(),
            Some("83afbdf8-c331-5037-bddf-0b088950a56a")
        );
        assert_eq!(
            (object.facts.kind.as_str(), object.facts.cpu.as_str()),
            ("breakpad", "x86_64")
        );
        assert!(object.symbols.is_some() && object.facts.problem.is_none());
        let unwind = String::from_utf8(object.unwind.clone().expect("rules")).expect("text");
        assert!(unwind.contains("STACK CFI INIT 1000 20"), "{unwind}");
    }

    #[test]
    fn mappings_have_their_id_in_their_name() {
        let text = b"com.example.Cart -> a.b:\n    1:1:int total():42:42 -> a\n";
        let compiled =
            compile("/proguard/1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0.txt", text).expect("compiled");
        assert_eq!(
            compiled[0].facts.debug_id.as_deref(),
            Some("1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0")
        );
        assert_eq!(compile("mapping.txt", text), Err(DebugFileError::Unknown));
        assert_eq!(
            compile(
                "/proguard/1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0.txt",
                b"hello"
            ),
            Err(DebugFileError::Unknown)
        );
    }

    #[test]
    fn what_is_no_debug_file_says_so() {
        assert_eq!(compile("x", b""), Err(DebugFileError::Unknown));
        assert_eq!(compile("x", &[0; 64]), Err(DebugFileError::Unknown));
        assert!(compile("x", b"\x7fELF\x02\x01\x01").is_err());
        assert_eq!(
            canonical("DFB8E43A-F242-3D73-A453-AEB6A777EF75-2").as_deref(),
            Some("dfb8e43a-f242-3d73-a453-aeb6a777ef75-2")
        );
        assert_eq!(
            canonical("dfb8e43af2423d73a453aeb6a777ef75").as_deref(),
            Some("dfb8e43a-f242-3d73-a453-aeb6a777ef75")
        );
        assert_eq!(canonical("nonsense"), None);
    }
}
