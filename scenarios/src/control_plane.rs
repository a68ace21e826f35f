//! Carries out what breaks and heals in the control plane itself. The loader has checked the names.

use crate::format::{ConflictTarget, Leader, SlowApiTarget, WatchTarget};
use std::time::Duration;
use stuckvm_sim::Cluster;
use stuckvm_sim::control_plane::{COMPONENTS, controllers_of};

/// Whether a fault begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `break`.
    Begins,
    /// `heal`.
    Ends,
}

/// The watch of a controller hangs, or it goes on, or it has broken and its informer lists anew.
pub(crate) fn watch(cluster: &mut Cluster, target: &WatchTarget, fault: Fault) {
    let (controller, kind) = (target.controller.as_str(), target.kind.0);
    let known = match fault {
        Fault::Begins => cluster.hold_watch(controller, kind),
        Fault::Ends if target.relist => cluster.relist_watch(controller, kind),
        Fault::Ends => cluster.release_watch(controller, kind),
    };
    assert!(known, "the loader has checked the controllers");
}

/// A process of the control plane, or one of its controllers, ends or starts.
pub(crate) fn controller(cluster: &mut Cluster, name: &str, fault: Fault) {
    for controller in controllers_of(name) {
        match fault {
            Fault::Begins => cluster.stop_controller(controller),
            Fault::Ends => cluster.start_controller(controller),
        };
    }
}

/// The pod that leads is gone, or another one takes over.
pub(crate) fn leader(cluster: &mut Cluster, leader: Leader, fault: Fault) {
    let Leader::VirtController = leader;
    if fault == Fault::Ends {
        cluster.environment_mut().exporter.elect();
    }
    controller(cluster, "virt-controller", fault);
}

/// Another client writes first, or no longer.
pub(crate) fn conflicts(cluster: &mut Cluster, target: &ConflictTarget, fault: Fault) {
    let kind = target.kind.0;
    for controller in controllers_of(&target.controller) {
        let api = &mut cluster.environment_mut().api;
        match fault {
            Fault::Begins => api.contend(controller, kind),
            Fault::Ends => api.relent(controller, kind),
        }
    }
}

/// Requests take long, or no time.
pub(crate) fn slow_api(cluster: &mut Cluster, target: &SlowApiTarget, fault: Fault) {
    const DEFAULT: Duration = Duration::from_secs(1);
    let latency = match fault {
        Fault::Begins => target.latency.map_or(DEFAULT, |span| span.0),
        Fault::Ends => Duration::ZERO,
    };
    let all = || COMPONENTS.iter().flat_map(|(_, controllers)| controllers.iter().copied()).collect();
    for controller in target.controller.as_deref().map_or_else(all, controllers_of) {
        cluster.slow_requests(controller, latency);
    }
}
