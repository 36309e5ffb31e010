//! The two programs of git that answer clients, and how they are started.

use std::path::Path;
use std::process::Stdio;

use axum::http::HeaderMap;
use tokio::process::Command;

/// A program of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Makes packs: clone and fetch.
    UploadPack,
    /// Takes packs: push.
    ReceivePack,
}

impl Program {
    /// What a client asks for with `?service=`.
    pub(crate) fn of_service(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    /// Its name, behind `git`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }

    /// What `error_type` says when it failed.
    pub(crate) const fn failed(self) -> &'static str {
        match self {
            Self::UploadPack => "upload_pack_failed",
            Self::ReceivePack => "receive_pack_failed",
        }
    }

    /// More than any client sends; what a small compressed body may grow to.
    pub(crate) const fn largest_request(self) -> u64 {
        match self {
            Self::UploadPack => 256 << 20,
            Self::ReceivePack => 4 << 30,
        }
    }

    /// It, for this request; it dies when its value is dropped, which happens when the client leaves.
    pub(crate) fn command(self, git: &Path, headers: &HeaderMap) -> Command {
        let mut command = Command::new(git);
        command.arg(self.name()).env_remove("GIT_PROTOCOL").env_remove("GIT_DIR").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let protocol = headers.get("git-protocol").and_then(|it| it.to_str().ok());
        if let Some(protocol) = protocol.filter(|it| is_protocol(it)) {
            command.env("GIT_PROTOCOL", protocol);
        }
        command
    }
}

/// Keys and values as git defines them (`version=2:key`); it becomes a variable of a program's environment.
fn is_protocol(value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | ':' | '.' | '-' | '_');
    value.len() <= 256 && value.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_protocol;

    #[test]
    fn the_protocol_header_becomes_a_variable_only_when_it_is_one() {
        assert!(is_protocol("version=2") && is_protocol("version=1:other_key=a.b"));
        for bad in ["version=2\n", "a b", "$(reboot)", "version=2;x", &"v".repeat(257)] {
            assert!(!is_protocol(bad), "{bad:?}");
        }
    }
}
