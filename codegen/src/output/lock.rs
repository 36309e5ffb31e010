//! One run at a time in a folder. The system holds the lock and forgets it with the process, however that ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Mode, OutputError};

/// How long a run waits for another one: longer than any that works.
pub const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
    /// The folder, when this run made it.
    made: Option<PathBuf>,
}

impl Drop for Lock {
    /// A run that wrote nothing leaves no folder behind; one with files in it stays.
    fn drop(&mut self) {
        if let Some(folder) = &self.made {
            fs::remove_dir(folder).unwrap_or_default();
        }
    }
}

/// Takes the folder: alone for writing, beside others for looking. `waiting` is told once when somebody else has it.
pub fn lock(folder: &Path, mode: Mode, patience: Duration, waiting: &mut dyn FnMut()) -> Result<Lock, OutputError> {
    let failed = |source: io::Error| OutputError::Io { path: folder.display().to_string(), source };
    let own = (mode == Mode::Write && !folder.exists()).then(|| folder.to_path_buf());
    if mode == Mode::Write {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let Some(file) = handle(folder, mode).map_err(failed)? else { return Ok(Lock { _file: None, made: own }) };
    let until = Instant::now() + patience;
    let mut told = false;
    loop {
        let taken = if mode == Mode::Write { file.try_lock() } else { file.try_lock_shared() };
        match taken {
            Ok(()) => return Ok(Lock { _file: Some(file), made: own }),
            // Some network file systems have no locks. Each file is still written whole.
            Err(TryLockError::Error(_)) => return Ok(Lock { _file: None, made: own }),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err(OutputError::Busy { folder: folder.display().to_string(), seconds: patience.as_secs() });
            }
            Err(TryLockError::WouldBlock) => {
                if !told {
                    waiting();
                    told = true;
                }
                thread::sleep(PAUSE);
            }
        }
    }
}

/// What is locked: the folder itself, so that no file of ours stays behind.
#[cfg(unix)]
fn handle(folder: &Path, _: Mode) -> io::Result<Option<File>> {
    match File::open(folder) {
        Ok(file) => Ok(Some(file)),
        // Who only looks finds that nothing is here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is locked: a file, where folders cannot be.
#[cfg(not(unix))]
fn handle(folder: &Path, mode: Mode) -> io::Result<Option<File>> {
    let path = folder.join(".kilter.lock");
    match fs::OpenOptions::new().read(true).write(true).create(mode == Mode::Write).truncate(false).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_wait_for_each_other_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let take = |mode, told: &mut u32| lock(folder.path(), mode, Duration::from_millis(60), &mut || *told += 1);
        let mut told = 0;
        let looking = take(Mode::Check, &mut told).unwrap();
        let other = take(Mode::Check, &mut told).unwrap();
        assert_eq!(told, 0, "those who look do not wait for each other");
        let error = take(Mode::Write, &mut told).unwrap_err().to_string();
        assert!(error.contains("another kilter") && told == 1, "{error}");
        drop((looking, other));
        let writing = take(Mode::Write, &mut told).unwrap();
        assert!(take(Mode::Check, &mut told).is_err());
        drop(writing);
        take(Mode::Write, &mut told).unwrap();
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing stays behind");
    }

    #[test]
    fn a_folder_that_is_not_there_can_be_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/one");
        lock(&path, Mode::Check, PATIENCE, &mut || ()).unwrap();
        assert!(!path.exists());
        let writing = lock(&path, Mode::Write, PATIENCE, &mut || ()).unwrap();
        assert!(path.is_dir());
        drop(writing);
        assert!(!path.exists(), "nothing was written");
    }
}
