//! gRPC: every call that is served and every call to a dependency is counted once, when its status is known.
//!
//! | file | holds |
//! |---|---|
//! | `server`, `client` | the tower layers with their futures and bodies: thin |
//! | `served`, `call` | the account of one call; its drop is the only place that records |
//! | `message` | messages counted in the bytes of a body |
//! | `methods` | the methods that a server is known to have |
//! | `status` | statuses, from wherever they stand |

mod call;
mod client;
mod message;
mod methods;
mod served;
mod server;
mod status;

pub use client::{GrpcCallBody, GrpcCallFuture, GrpcCalling, GrpcClient};
pub(crate) use methods::Methods;
pub use server::{GrpcAccounted, GrpcBody, GrpcFuture, GrpcServer};

/// The only RPC system of the contract.
const SYSTEM: Option<&str> = Some("grpc");

/// The full name of a method in a request's path: `package.Service/Method`. `None` when it is no such name.
fn full_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let (service, method) = name.split_once('/')?;
    let identifier = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (name.len() <= 128 && service.split('.').all(identifier) && identifier(method)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn names_are_told_from_paths() {
        assert_eq!(full_name("/grpc.health.v1.Health/Check"), Some("grpc.health.v1.Health/Check"));
        assert_eq!(full_name("/Health/Check"), Some("Health/Check"));
        for path in ["", "/", "/x", "x/y", "/x/", "//y", "/x/y/z", "/x..z/y", "/x-y/z", "/../y", "/x/y?z"] {
            assert_eq!(full_name(path), None, "{path}");
        }
        assert_eq!(full_name(&format!("/x/{}", "y".repeat(200))), None);
    }
}
