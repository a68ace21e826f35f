//! Migrations and evacuations.

use crate::Group;

const MIGRATIONS: &[(&str, &str)] = &[("migrations", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "admission/virtual_machine_instance_migration.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("an instance that has ended is not moved", "vmi.is_final()", "false"),
            ("one that cannot be moved is not", "found.status == Truth::False", "false"),
            ("nor one that is being moved", "other.metadata.labels.has(&VMI_NAME, name)", "false"),
        ],
    },
    Group {
        file: "controllers/migration/sync.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "a second launcher keeps a target from being made",
                "self.expectations.await_creations() || active_pods(&pass.vmi, view) > 1",
                "self.expectations.await_creations()",
            ),
            (
                "a namespace that lets no launcher in is named",
                "error.contains(\"violates PodSecurity\")",
                "false",
            ),
            (
                "a cancelled migration takes its target along",
                "cx.delete::<Pod>(*id)",
                "Ok::<(), crate::store::ApiError>(())",
            ),
        ],
    },
    Group {
        file: "controllers/migration/places.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "five migrations in all",
                "self.taken < PER_CLUSTER && outbound < OUTBOUND_PER_NODE",
                "outbound < OUTBOUND_PER_NODE",
            ),
            (
                "two that leave a node",
                "self.taken < PER_CLUSTER && outbound < OUTBOUND_PER_NODE",
                "self.taken < PER_CLUSTER",
            ),
            (
                "a target takes a place before its migration has begun",
                "migration.is_running() || has_target()",
                "migration.is_running()",
            ),
            ("what is waited for comes in 5 s", "Duration::from_secs(5)", "Duration::from_secs(9)"),
            ("what is urgent comes in 1 s", "Duration::from_secs(1)", "Duration::from_secs(5)"),
            ("a place that is free is taken at once", "cx.requeue_after(Duration::ZERO, id)", "()"),
        ],
    },
    Group {
        file: "controllers/migration/pending.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("a target that fits nowhere has 300 s", "fits_nowhere(pod)", "false"),
            (
                "the migration may give another limit",
                "pass.migration.metadata.annotations.get(annotation)",
                "None::<&ArcStr>",
            ),
        ],
    },
    Group {
        file: "controllers/migration/backoff.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("each failure doubles the wait", "2_u32.saturating_pow(doublings)", "1 + 0 * doublings"),
            ("only who was not asked for waits", "all.retain(|(_, migration)| backs_off(migration))", "()"),
        ],
    },
    Group {
        file: "controllers/migration/host_model.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("the CPU of the first node counts", "!moved_before.is_empty()", "false"),
            ("another CPU is of the same make", "key(selector).is_some()", "true"),
            (
                "guests of another CPU model may go anywhere",
                "vmi.spec.domain.cpu.as_ref().is_some_and(|cpu| cpu.model == \"host-model\")",
                "vmi.spec.domain.cpu.is_some()",
            ),
        ],
    },
    Group {
        file: "controllers/migration/target_pod.rs",
        noticed_by: MIGRATIONS,
        rows: &[(
            "the instance's own selectors win",
            "added.iter().chain(rendered.node_selector.iter()).chain(of_cpu.iter())",
            "rendered.node_selector.iter().chain(added.iter()).chain(of_cpu.iter())",
        )],
    },
    Group {
        file: "controllers/migration/hand_off.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "a target that ended unprepared is told of",
                "has_target || !pass.state().is_some_and(unstarted)",
                "true",
            ),
            (
                "what failed before virt-handler knew is told of too",
                "pass.state().is_none_or(|state| state.failed)",
                "true",
            ),
            ("an abort is asked for", "state.abort_requested = true", "()"),
            ("of an instance as it was read", "live.status == pass.vmi.status", "true"),
        ],
    },
    Group {
        file: "controllers/migration/status.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("the end of the instance ends it", "pass.vmi.is_final()", "false"),
            ("so does that of the target", "pass.target().is_some_and(Pod::is_finished)", "false"),
            ("and its removal", "pass.migration.target_is_created() && pass.pod.is_none()", "false"),
            (
                "a quota's refusal is shown",
                "error.is_some_and(|error| error.contains(\"exceeded quota\"))",
                "false",
            ),
            (
                "and no longer once there is a target",
                "copy.status.conditions.retain(|found| found.kind != REJECTED_BY_QUOTA)",
                "()",
            ),
            ("the finalizer goes at the end", "copy.metadata.remove_finalizer(&FINALIZER)", "false"),
        ],
    },
    Group {
        file: "controllers/migration/mod.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("five that have ended stay", "ended.len().saturating_sub(KEPT)", "0"),
            ("the others take their launchers along", "state.target_pod.as_str()", "\"\""),
        ],
    },
    Group {
        file: "controllers/virt_handler/transfer.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            ("a transfer has its limit", "takes >= *limit", "false"),
            (
                "a guest that has ended does not arrive",
                "!vmi.is_final() && !vmi.metadata.is_deleting()",
                "true",
            ),
            ("a lost target is noticed after 30 s", "transfer.target_node == node", "false"),
            ("nobody ends what a lost node was sending", "transfer.source_node != node", "true"),
        ],
    },
    Group {
        file: "controllers/virt_handler/migration_source.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "a target that ends closes the connection",
                "Ends::of(vmi, state, cx.view()).target.is_none()",
                "false",
            ),
            ("who was away has lost the connection", "!under_way", "false"),
        ],
    },
    Group {
        file: "controllers/virt_handler/migration_target.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "nobody on a lost node prepares",
                "!is_ours || cx.environment.machines.is_lost(&state.target_node)",
                "!is_ours",
            ),
            ("what a drain asked for is done", "vmi.status.evacuation_node_name = ArcStr::new()", "()"),
            (
                "nobody has come whose guest is not here",
                "!target.is_some_and(|(_, pod)| cx.environment.launchers.houses_guest(&pod))",
                "false",
            ),
        ],
    },
    Group {
        file: "controllers/virt_handler/migratable.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "the pod's network must move",
                "network(vmi).or_else(|| cpu(vmi, view)).or_else(|| devices(vmi)).or_else(|| disks(vmi, view))",
                "cpu(vmi, view).or_else(|| devices(vmi)).or_else(|| disks(vmi, view))",
            ),
            (
                "so must the CPU",
                "network(vmi).or_else(|| cpu(vmi, view)).or_else(|| devices(vmi)).or_else(|| disks(vmi, view))",
                "network(vmi).or_else(|| devices(vmi)).or_else(|| disks(vmi, view))",
            ),
            (
                "devices of the host do not",
                "network(vmi).or_else(|| cpu(vmi, view)).or_else(|| devices(vmi)).or_else(|| disks(vmi, view))",
                "network(vmi).or_else(|| cpu(vmi, view)).or_else(|| disks(vmi, view))",
            ),
            (
                "claims of one node do not either",
                "claim.spec.access_modes.iter().any(|mode| mode == \"ReadWriteMany\")",
                "true",
            ),
        ],
    },
    Group {
        file: "controllers/evacuation.rs",
        noticed_by: MIGRATIONS,
        rows: &[
            (
                "the old taint moves all",
                "taint.key == DRAIN_TAINT && taint.effect == \"NoSchedule\"",
                "false",
            ),
            ("who is moved already is left alone", "!moves(vmi)", "true"),
            (
                "what is spread anew may wait",
                "vmi.metadata.annotations.has(EVICTION_SOURCE, \"descheduler\")",
                "false",
            ),
            (
                "who does not want to be moved is left",
                "vmi.spec.rest.get(\"evictionStrategy\").and_then(serde_json::Value::as_str)",
                "Some(\"LiveMigrate\")",
            ),
        ],
    },
];
