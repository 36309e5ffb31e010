//! The routes of the service.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use kilter::Service;

use crate::access::Access;
use crate::faults::Faults;
use crate::hooks::Hooks;
use crate::repository::Repositories;
use crate::{refs, rpc};

kilter::routes! {
    /// Which refs a repository has: the first request of every clone, fetch and push.
    pub(crate) INFO_REFS = GET "/{workspace}/{repo}/info/refs";
    /// What a client asks of them: refs by pattern, or a pack. Large packs stream for minutes.
    pub(crate) UPLOAD_PACK = POST "/{workspace}/{repo}/git-upload-pack", stream;
    /// What a client sends: a pack, and which refs it moves. Large packs stream for minutes.
    pub(crate) RECEIVE_PACK = POST "/{workspace}/{repo}/git-receive-pack", stream;
}

/// What the service says of itself, to Prometheus and to those who write its SLOs.
pub(crate) const SERVICE: Service = kilter::service!().routes(ROUTES).error_kinds(&[
    "upload_pack_failed",
    "receive_pack_failed",
    "identity_unavailable",
    "repositories_unavailable",
]);

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) repositories: Repositories,
    /// Who may do what.
    pub(crate) access: Access,
    /// The git program.
    pub(crate) git: PathBuf,
    pub(crate) faults: Arc<Faults>,
    pub(crate) hooks: Hooks,
}

pub(crate) fn router(front: Front) -> Router {
    Router::new()
        .route(INFO_REFS.path(), get(refs::info_refs))
        .route(UPLOAD_PACK.path(), post(rpc::upload_pack))
        .route(RECEIVE_PACK.path(), post(rpc::receive_pack))
        .with_state(Arc::new(front))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its SLOs are checked against this file: `KILTER_CONTRACT=write cargo test` writes it.
    #[test]
    fn the_contract_is_fresh() {
        let telemetry = kilter::testing::TestTelemetry::new(SERVICE);
        Access::new(&telemetry, None, None).unwrap();
        telemetry.assert_contract("kilter.contract.json");
    }
}
