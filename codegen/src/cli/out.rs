//! What is said on stdout and stderr. Whoever reads may leave early (`kilter lint | head`), and a disk may be full; the macros
//! of the standard library panic then. These have their names, so that nothing here is said in another way: a reader who left
//! is told no more, and the run ends as it would have; anything else that went wrong is told at its end.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// Why stdout takes no more.
static BROKEN: OnceLock<io::Error> = OnceLock::new();

macro_rules! print {
    ($($all:tt)*) => { $crate::cli::out::data(format_args!($($all)*)) };
}
macro_rules! println {
    ($($all:tt)*) => { $crate::cli::out::data(format_args!("{}\n", format_args!($($all)*))) };
}
macro_rules! eprint {
    ($($all:tt)*) => { $crate::cli::out::talk(format_args!($($all)*)) };
}
macro_rules! eprintln {
    ($($all:tt)*) => { $crate::cli::out::talk(format_args!("{}\n", format_args!($($all)*))) };
}

pub(super) fn data(text: Arguments<'_>) {
    keep(|| io::stdout().write_fmt(text));
}

/// Who cannot be talked to cannot be told so.
pub(super) fn talk(text: Arguments<'_>) {
    io::stderr().write_fmt(text).unwrap_or_default();
}

/// Whether all was said, to somebody who wanted to hear it.
pub(super) fn end() -> Result<(), String> {
    keep(|| io::stdout().flush());
    match BROKEN.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

fn keep(write: impl FnOnce() -> io::Result<()>) {
    if BROKEN.get().is_none()
        && let Err(error) = write()
    {
        BROKEN.set(error).unwrap_or_default();
    }
}
