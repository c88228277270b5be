//! Secrets among the settings. In: a value, or the file that holds it. Out: the secret, or the sentence that says what is wrong.

use std::path::{Path, PathBuf};

/// A secret from its own setting or from the file that `…_FILE` names.
pub fn secret(
    name: &str,
    value: Option<&String>,
    file: Option<&PathBuf>,
) -> Result<Option<String>, String> {
    match (value, file) {
        (Some(_), Some(_)) => Err(format!(
            "{name} and {name}_FILE are both set; keep one of them"
        )),
        (Some(value), None) => Ok(Some(value.clone()).filter(|value| !value.is_empty())),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(|text| Some(text.trim_end_matches(['\n', '\r']).to_owned()))
            .map_err(|error| format!("{name}_FILE: cannot read {}: {error}", path.display())),
        (None, None) => Ok(None),
    }
}

/// Reads the generated key from the data folder, or generates it there, readable by the owner only.
pub(super) fn kept_secret_key(data_dir: &Path) -> Result<String, String> {
    use std::io::Write as _;
    let path = data_dir.join("secret_key");
    match std::fs::read_to_string(&path) {
        Ok(key) if key.trim().len() >= 32 => return Ok(key.trim().to_owned()),
        Ok(_) => {
            return Err(format!(
                "{} is damaged: restore it, or delete it to sign everybody out",
                path.display()
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("no random bytes for a secret key: {error}"))?;
    let key = hex::encode(bytes);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(&path)
        .and_then(|mut file| {
            file.write_all(key.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(key)
}
