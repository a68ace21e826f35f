//! The message of a pod that found no node, and where preemption would help.

use crate::Group;

const SCHEDULE: &[(&str, &str)] =
    &[("vectors", "schedule/preemption-message"), ("vectors", "schedule"), ("schedule_rules", "")];

/// The end of a message when PreFilter has refused.
const PREFILTER: &str = "PostFilter { message: \"not found\".into(), ..PostFilter::default() }";
const RULES: &str = "[&highest, &sum, &number, &earliest]";

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/message.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("the parts come in byte order", "parts.sort_unstable()", "()"),
            (
                "nodes that were left out are counted",
                "parts.push(format!(\"{} {}\", absent.nodes, absent.text()))",
                "()",
            ),
            (
                "who rejects the nominated node is named for them too",
                "plugins.insert(rejection.plugin());",
                "()",
            ),
            ("the message ends with what preemption says", "text.push_str(after)", "()"),
            (
                "each reason of a node counts",
                "places(rejection, node, pod).for_each(|place| self.count(place))",
                "places(rejection, node, pod).take(1).for_each(|place| self.count(place))",
            ),
            ("a refusal by PreFilter stands once", "snapshot.profile.prefilter_message", "false"),
            ("the volume's node affinity has its words", "!snapshot.profile.volume_affinity_wording", "true"),
            (
                "a scalar resource is named",
                "format!(\"Insufficient {}\", snapshot.scalars.name(scalar))",
                "\"Insufficient\".to_owned()",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/failure.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "without nodes the message is another",
                "\"no nodes available to schedule pods\"",
                "\"0/0 nodes are available\"",
            ),
            ("a plugin that broke has a reason of its own", "\"SchedulerError\"", "\"Unschedulable\""),
        ],
    },
    Group {
        file: "controllers/scheduler/preemption.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "DynamicResources ends PostFilter when PreFilter has refused",
                PREFILTER,
                "preempt(snapshot, pod, (error.nodes, &[], None), now)",
            ),
            ("DynamicResources speaks first", "\"no new claims to deallocate, \"", "\"\""),
            (
                "preemptionPolicy Never",
                "pod.pod.spec.preemption_policy.as_deref() == Some(\"Never\")",
                "false",
            ),
            (
                "a victim that goes is waited for, and no other pod",
                "(victim || !profile.knows_its_victims)",
                "true",
            ),
            (
                "a nominated node that will never do is given up",
                "(status.is_resolvable() && leaving)",
                "leaving",
            ),
            ("who matters as much is no victim", "other.priority() < pod.priority()", "true"),
            (
                "only less important pods go",
                "self.snapshot.pod(*id).priority() < self.pod.priority()",
                "self.snapshot.pod(*id).priority() <= self.pod.priority()",
            ),
            ("nodes whose rejection cannot be resolved are not tried", "rejection.is_resolvable()", "true"),
            (
                "a node without victims does not help",
                "return Err(Rejection::unresolvable(Plugin::NodeResourcesFit, Reason::NoVictims))",
                "return Ok(Vec::new())",
            ),
            (
                "nodes that were not tried are counted",
                "histogram.add_many(Reason::PreemptionNotHelpful, nodes - tried)",
                "()",
            ),
            (
                "all less important pods are taken away first",
                "potential.iter().for_each(|id| self.take(*id))",
                "()",
            ),
            ("the pod must fit then", "self.fits()?", "()"),
            ("those stay that do no harm", "self.fits().is_err()", "true"),
            (
                "the more important stay first",
                "potential.sort_by_key(|id| importance(self.snapshot.pod(*id)))",
                "potential.sort_by_key(|id| std::cmp::Reverse(importance(self.snapshot.pod(*id))))",
            ),
            (
                "of those, the longer running stay first",
                "pod.pod.status.start_time.unwrap_or(Time::MAX)",
                "Time::MAX",
            ),
            ("then the least important first victim", RULES, "[&sum, &sum, &number, &earliest]"),
            ("then the least sum of priorities", RULES, "[&highest, &highest, &number, &earliest]"),
            ("priorities count from the lowest possible", "i64::from(i32::MAX) + 1", "0"),
            ("then the fewest victims", RULES, "[&highest, &sum, &sum, &earliest]"),
            ("then the victims that started last", RULES, "[&highest, &sum, &number, &number]"),
            (
                "what follows from a pod that goes is counted",
                "self.state.update(other, (self.slot, &self.node), -1)",
                "()",
            ),
            ("and from one that stays", "self.state.update(other, (self.slot, &self.node), 1)", "()"),
        ],
    },
];
