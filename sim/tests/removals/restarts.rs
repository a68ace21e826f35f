//! Instance types and preferences that machines name, and changes of a template that need a restart.

use crate::Group;

const TYPES: &[(&str, &str)] = &[("vectors", "status/recorded"), ("instance_types", "")];

const RESTARTS: &[(&str, &str)] = &[("vectors", "status/recorded"), ("restart_required", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "instance_types/find.rs",
        noticed_by: TYPES,
        rows: &[
            (
                "a revision counts for the object that it was made of",
                "!matcher.revision.is_empty() || revision.metadata.labels.has(OBJECT_NAME, matcher.name)",
                "!matcher.revision.is_empty() || !revision.metadata.labels.is_empty()",
            ),
            (
                "what the status keeps counts",
                "revision_in_status(status?.rest.get(matcher.role.status_field)?)",
                "None",
            ),
        ],
    },
    Group {
        file: "instance_types/instance_type.rs",
        noticed_by: TYPES,
        rows: &[
            (
                "of memory the first conflict is told",
                "memory.iter().find(is_set).map(named)",
                "memory.iter().rfind(is_set).map(named)",
            ),
            (
                "vCPUs divide as the preference wants it",
                "u64::from(vcpus).is_multiple_of(topology.divisor())",
                "true",
            ),
        ],
    },
    Group {
        file: "instance_types/webhook.rs",
        noticed_by: TYPES,
        rows: &[
            (
                "what is not there is refused before 1.6",
                "release.profile().lets_types_be_missing",
                "!release.profile().lets_types_be_missing",
            ),
            ("a machine names what it means", "matcher.name.is_empty() && !inferred", "false"),
        ],
    },
    Group {
        file: "controllers/virtual_machine/instance_types.rs",
        noticed_by: TYPES,
        rows: &[
            ("what is not there is looked for first", "profile.lets_types_be_missing", "false"),
            ("another name or kind is kept anew", "reference[\"controllerRevisionRef\"] = Value::Null", "()"),
            ("a revision that is taken must say the same", "known.data == revision.data", "true"),
        ],
    },
    Group {
        file: "controllers/virtual_machine/revisions.rs",
        noticed_by: TYPES,
        rows: &[
            (
                "of a machine one start is kept",
                "*revision == generation",
                "*revision == generation || *revision > 0",
            ),
            (
                "an instance of another template keeps its generation",
                "spec.template != self.vm.spec.template",
                "false",
            ),
            (
                "an instance that does not say its generation gets that of its revision",
                "known.or_else(|| self.generation_of_revision(&vmi))",
                "known",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine/restart_required.rs",
        noticed_by: RESTARTS,
        rows: &[
            ("a release has the condition", "!profile.requires_restarts", "false"),
            ("the condition is taken back", "profile.takes_back_restarts", "false"),
            ("before LiveUpdate nothing is live", "!self.cx.config.kubevirt.profile().updates_live", "false"),
            ("volumes may be plugged out", "stays(volume) || volume.is_hot_pluggable()", "stays(volume)"),
            ("a claim may be migrated", "migrates && volume.is_claim()", "false"),
            ("a claim changes by migration only", "migrates && volume.is_claim()", "volume.is_claim()"),
            (
                "a CD-ROM does not go",
                "plugs(&last.volumes, disk) != Some(false) && disk[\"cdrom\"].is_null()",
                "plugs(&last.volumes, disk) != Some(false)",
            ),
            (
                "a disk may be plugged in",
                "plugs(&now.volumes, disk) == Some(true) || old.contains(disk)",
                "old.contains(disk)",
            ),
            (
                "a disk that is not plugged stays as it is",
                "plugs(&now.volumes, disk) == Some(true) || old.contains(disk)",
                "plugs(&now.volumes, disk).is_some() || old.contains(disk)",
            ),
            (
                "an interface's state is live",
                "interface.as_object_mut().map(|fields| fields.remove(\"state\"))",
                "interface.as_object_mut().map(|fields| fields.remove(\"none\"))",
            ),
            (
                "an interface of the instance stays",
                "interfaces.into_iter().any(|interface| !wanted.contains(&interface))",
                "false",
            ),
            (
                "a network of the instance stays as it is",
                "vmi.networks.iter().any(|network| !networks.contains(&without_reference(network)))",
                "false",
            ),
            (
                "the reference of a network is live",
                "network.get_mut(\"multus\").and_then(Value::as_object_mut).map(|fields| fields.remove(\"networkName\"))",
                "network.get_mut(\"multus\").and_then(Value::as_object_mut).map(|fields| fields.remove(\"none\"))",
            ),
            (
                "a uuid that the instance has too needs no restart",
                "uuid(now).filter(|now| uuid(vmi).as_ref() == Some(now))",
                "uuid(now).filter(|_| false)",
            ),
            (
                "only a uuid that the instance has too needs no restart",
                "uuid(now).filter(|now| uuid(vmi).as_ref() == Some(now))",
                "uuid(now)",
            ),
        ],
    },
];
