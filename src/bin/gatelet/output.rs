//! Where results go: to standard output, or to a file.

use crate::failure::Failure;
use std::io::Write;
use std::path::Path;

/// Writes results to standard output.
pub fn print(text: impl core::fmt::Display) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
        _ => Failure::Failed(format!("cannot write the results: {error}")),
    })
}

/// Writes results to standard output as one line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?)
}

/// Says something about the way there on standard error.
pub fn note(text: impl core::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether the file that `option` names can be written, before there is work to lose; `inputs` are not to be overwritten.
pub fn check_writable(option: &str, path: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let failed = |problem: String| Err(Failure::Failed(format!("{option} {}: {problem}", path.display())));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let folder = folder.display();
        return failed(format!("there is no folder {folder}; make it with `mkdir -p {folder}`"));
    }
    let ends_in_slash =
        path.as_os_str().as_encoded_bytes().last().is_some_and(|&last| std::path::is_separator(last.into()));
    if path.is_dir() || ends_in_slash {
        return failed("this is a folder; name a file in it".into());
    }
    if path.exists() && !path.is_file() {
        return failed("this is a device, not a file; name a file".into());
    }
    let same = |input: &&&Path| matches!((path.canonicalize(), input.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if inputs.iter().any(|input| same(&input)) {
        return failed("this is the input, which would be lost; name another file".into());
    }
    // A file is replaced by a new one, so it is the folder that has to be writable.
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => {
            let folder = folder.display();
            failed(format!(
                "cannot write to the folder {folder}: {error}; choose another one or change its permissions"
            ))
        }
    }
}
