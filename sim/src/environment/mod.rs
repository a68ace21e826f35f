//! The world outside of the API: what exists and what works there. Faults change it; controllers and agents meet it.

mod admission;
mod api_server;
mod exporter;
mod launchers;
mod leases;
mod machines;
mod program;
mod provisioners;
mod registry;
mod runtime_log;
mod sources;
pub(crate) mod transfers;

pub use admission::Admission;
pub use api_server::ApiServer;
pub use exporter::{Exporter, Scrapes};
pub use launchers::{LauncherFault, Launchers};
pub use leases::{Heartbeat, Leases};
pub use machines::{KubeletStart, Machines};
pub use program::{Program, Programs, Stop};
pub use provisioners::{ProvisionerState, Provisioners};
pub use registry::{Credential, Image, Pull, Registry, ScriptedPull};
pub use runtime_log::{RuntimeLog, RuntimeRequest};
pub use sources::{Progress, Source, Sources};

/// The world outside of the API.
#[derive(Debug, Default)]
pub struct Environment {
    /// What the API server refuses to create.
    pub admission: Admission,
    /// How the API server treats each controller.
    pub api: ApiServer,
    /// Container images and the registries that hold them.
    pub registry: Registry,
    /// What DataVolumes are imported from.
    pub sources: Sources,
    /// Launchers and guests that do not work.
    pub launchers: Launchers,
    /// Storage drivers that do not work.
    pub provisioners: Provisioners,
    /// Scrapes of virt-controller.
    pub exporter: Exporter,
    /// Machines that are down.
    pub machines: Machines,
    /// The heartbeats of the nodes.
    pub leases: Leases,
    /// What containers do, where that was determined.
    pub programs: Programs,
    /// What the container runtimes were asked.
    pub runtime_log: RuntimeLog,
}
