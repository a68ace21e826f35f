//! `kubevirt.io/v1` VirtualMachineInstanceMigration, and what an instance shows of one.

use super::{Condition, ObjectMeta, PhaseTransition, Rest, StrMap, is_default, nullable, time_opt};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use stuckvm_detector::Time;

/// A move of a running instance to another node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstanceMigration {
    /// Names.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: VirtualMachineInstanceMigrationSpec,
    /// How far it has come.
    #[serde(skip_serializing_if = "is_default")]
    pub status: VirtualMachineInstanceMigrationStatus,
}

impl VirtualMachineInstanceMigration {
    /// Whether it has ended, well or not (`IsFinal`).
    pub fn is_final(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether it takes one of the places that there are for migrations (`IsRunning`).
    pub fn is_running(&self) -> bool {
        self.target_is_created() && !self.is_final()
    }

    /// Whether its phase means that there is a target pod (`TargetIsCreated`).
    pub fn target_is_created(&self) -> bool {
        !matches!(self.status.phase.as_str(), "" | "Pending")
    }

    /// Whether its phase means that virt-handler has it (`TargetIsHandedOff`).
    pub fn target_is_handed_off(&self) -> bool {
        self.target_is_created() && !matches!(self.status.phase.as_str(), "Scheduling" | "Scheduled")
    }
}

/// `spec` of a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstanceMigrationSpec {
    /// The instance's name.
    pub vmi_name: ArcStr,
    /// Labels that the target's node must have beside those that the instance asks for.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub added_node_selector: StrMap,
    /// `system-critical`, `user-triggered` or `system-maintenance`; the evacuation controller gives one.
    #[serde(skip_serializing_if = "is_default")]
    pub priority: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineInstanceMigrationStatus {
    /// Pending, Scheduling, Scheduled, PreparingTarget, TargetReady, Running, Succeeded, Failed; empty before anyone looked.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// `migrationAbortRequested`, `migrationRejectedByResourceQuota`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The first time of each phase.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub phase_transition_timestamps: Vec<PhaseTransition>,
    /// The source pod while it is pending; at the end what the instance showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration_state: Option<Box<MigrationState>>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status.migrationState` of an instance and of a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MigrationState {
    /// When it began.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When it ended.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<Time>,
    /// The uid of the migration that it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub migration_uid: ArcStr,
    /// The node that the instance leaves.
    #[serde(skip_serializing_if = "is_default")]
    pub source_node: ArcStr,
    /// The launcher that it leaves.
    #[serde(skip_serializing_if = "is_default")]
    pub source_pod: ArcStr,
    /// The node that it goes to.
    #[serde(skip_serializing_if = "is_default")]
    pub target_node: ArcStr,
    /// The launcher that it goes to.
    #[serde(skip_serializing_if = "is_default")]
    pub target_pod: ArcStr,
    /// Where the target listens; empty until it is prepared.
    #[serde(skip_serializing_if = "is_default")]
    pub target_node_address: ArcStr,
    /// Whether the target's virt-handler has seen the domain.
    #[serde(skip_serializing_if = "is_default")]
    pub target_node_domain_detected: bool,
    /// When it has seen the domain run.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub target_node_domain_ready_timestamp: Option<Time>,
    /// Whether it is over and cleaned up.
    #[serde(skip_serializing_if = "is_default")]
    pub completed: bool,
    /// Whether it has failed.
    #[serde(skip_serializing_if = "is_default")]
    pub failed: bool,
    /// Why.
    #[serde(skip_serializing_if = "is_default")]
    pub failure_reason: ArcStr,
    /// Whether it is to be given up.
    #[serde(skip_serializing_if = "is_default")]
    pub abort_requested: bool,
    /// Succeeded, once it was given up.
    #[serde(skip_serializing_if = "is_default")]
    pub abort_status: ArcStr,
    /// PreCopy.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl MigrationState {
    /// Whether nothing more is to be done (`isMigrationDone`).
    pub fn is_done(&self) -> bool {
        self.end_timestamp.is_some() && (self.completed || self.failed)
    }
}
