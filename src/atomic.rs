//! Files that are replaced as a whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes to a temporary name in the same folder, which replaces the file when everything is written and on the disk.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let builder = &mut tempfile::Builder::new();
    // The permissions of an ordinary new file; those of a temporary one are its owner's only.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = BufWriter::new(builder.tempfile_in(folder)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
