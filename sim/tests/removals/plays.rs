//! What the VM controller hears of: random plays of the whole cluster show a status that nobody has renewed.

use crate::Group;

const PLAYS: &[(&str, &str)] = &[("statuses", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/virtual_machine/watch.rs",
        noticed_by: PLAYS,
        rows: &[
            ("changes of an instance are heard", "instance_changed(controller, change, view, queue)", "()"),
            (
                "changes of a DataVolume are heard",
                "data_volume_changed(controller, change, view, queue)",
                "()",
            ),
            ("a new claim is heard of", "claim_changed(change, view, queue)", "()"),
        ],
    },
    Group {
        file: "controllers/virtual_machine/status.rs",
        noticed_by: PLAYS,
        rows: &[(
            "a pass that changes no condition writes the status too",
            "self.status == self.cached.status",
            "self.status.conditions == self.cached.status.conditions",
        )],
    },
];
