//! Who emits: the target and its build.

use crate::{Label, Values, signals};

const fn fact(key: &'static str, attribute: &'static str, help: &'static str) -> Label {
    Label::new(key, attribute, Values::Configured, true, help)
}

/// The service's name.
pub const SERVICE_NAME: Label = fact("service_name", "service.name", "Name of the service.");
/// The service's version.
pub const SERVICE_VERSION: Label = fact("service_version", "service.version", "Version of the service.");
/// The instance.
pub const SERVICE_INSTANCE: Label =
    fact("service_instance_id", "service.instance.id", "Instance, unique within the service.");
/// The environment.
pub const ENVIRONMENT: Label =
    fact("deployment_environment_name", "deployment.environment.name", "Environment, such as production.");
/// Version of the contract.
pub const CONTRACT_VERSION: Label =
    fact("contract_version", "kilter.contract.version", "Version of the Kilter contract.");

signals! {
    family "identity";
    /// OpenTelemetry's resource, as Prometheus exposes it.
    TARGET_INFO = info "target_info", otel "target.info", unit Count, help "Identity of the target.",
        labels [SERVICE_NAME, SERVICE_VERSION, SERVICE_INSTANCE, ENVIRONMENT];
    /// The build that runs, and the contract that it follows.
    BUILD_INFO = info "build_info", otel "build.info", unit Count, help "Build of the service and its contract.",
        labels [SERVICE_NAME, SERVICE_VERSION, CONTRACT_VERSION];
}
