//! What a scraper finds at virt-controller while a scenario is played.

use super::rules::Group;
use super::samples::{Labels, Millis, NAME, Samples};
use super::scraper::{Exposed, Scraper};
use crate::play::Watcher;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::Cluster;
use stuckvm_sim::environment::Scrapes;
use stuckvm_sim::metrics::{Sample, scrape};

/// The controller through whose informers virt-controller's collectors look.
const COLLECTOR: &str = "virtual-machine";

/// Labels of the target, as the Prometheus operator derives them from KubeVirt's ServiceMonitor, which has `honorLabels: true`.
const TARGET: [(&str, &str); 4] = [
    ("container", "virt-controller"),
    ("endpoint", "metrics"),
    ("job", "kubevirt-prometheus-metrics"),
    ("service", "kubevirt-prometheus-metrics"),
];

const NANOS: u64 = 1_000_000;

/// When scrapes and evaluations come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// S, the time between two scrapes.
    pub scrape: Millis,
    /// E, the time between two evaluations, for groups that have none of their own.
    pub evaluate: Millis,
    /// The first scrape comes so long after the first evaluation; less than S.
    pub phase: Millis,
}

impl Default for Schedule {
    /// Every 30 s both, in phase.
    fn default() -> Self {
        Self { scrape: 30_000, evaluate: 30_000, phase: 0 }
    }
}

/// Scrapes virt-controller while a scenario is played.
#[derive(Debug)]
pub struct Exporter<'a> {
    scraper: Scraper,
    next: Time,
    every: Duration,
    /// Only metrics that these rules may read are kept.
    groups: &'a [Group],
    /// The pod that led at the scrape before.
    leader: usize,
    missing: Vec<Time>,
}

/// What was scraped in a run.
#[derive(Clone, Debug, Default)]
pub struct Scraped {
    /// What has been stored.
    pub samples: Samples,
    /// The scrapes that failed or were not made, in order.
    pub missing: Vec<Time>,
}

impl<'a> Exporter<'a> {
    /// Scrapes from the beginning of a run on.
    pub fn new(start: Time, schedule: Schedule, groups: &'a [Group]) -> Self {
        Self {
            scraper: Scraper::new(schedule.scrape, target(0)),
            next: time(first_tick(start) + schedule.phase),
            every: Duration::from_millis(schedule.scrape.unsigned_abs()),
            groups,
            leader: 0,
            missing: Vec::new(),
        }
    }

    /// What has been stored, and what could not be.
    pub fn finish(self) -> Scraped {
        Scraped { samples: self.scraper.finish(), missing: self.missing }
    }

    fn exposed(&self, sample: Sample) -> Option<Exposed> {
        let mut rules = self.groups.iter().flat_map(|group| &group.rules);
        if !rules.any(|rule| rule.expression.may_read(sample.metric)) {
            return None;
        }
        let labels = sample.labels.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        let mut labels: Labels = labels.collect();
        labels.insert(NAME.to_owned(), sample.metric.to_owned());
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        let value = sample.value as f64;
        Some((labels, value))
    }
}

impl Watcher for Exporter<'_> {
    fn next_at(&self) -> Option<Time> {
        Some(self.next)
    }

    fn watch(&mut self, cluster: &Cluster) {
        let at = millis(self.next);
        self.next = self.next.checked_add(self.every).unwrap_or(Time::MAX);
        let exporter = cluster.exporter();
        if exporter.scrapes == Scrapes::Missed {
            self.missing.push(time(at));
            return;
        }
        if self.leader != exporter.leader() {
            self.leader = exporter.leader();
            self.scraper.move_to(target(self.leader));
        }
        if exporter.scrapes == Scrapes::Fail || !cluster.is_running(COLLECTOR) {
            self.scraper.fail(at);
            self.missing.push(time(at));
            return;
        }
        let view = cluster.view_of(COLLECTOR).expect("every cluster has virt-controller");
        let samples = scrape(view, cluster.config().kubevirt);
        let exposed: Vec<Exposed> = samples.into_iter().filter_map(|sample| self.exposed(sample)).collect();
        self.scraper.scrape(at, exposed);
    }
}

/// The labels of the pod that leads, by its number.
fn target(leader: usize) -> Labels {
    let shared = TARGET.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own = [
        ("instance".to_owned(), format!("10.244.0.{}:8443", 10 + leader)),
        ("pod".to_owned(), format!("virt-controller-{leader}")),
    ];
    shared.into_iter().chain(own).collect()
}

/// The first evaluation of a run: its start, rounded up to the milliseconds of Prometheus.
pub fn first_tick(start: Time) -> Millis {
    millis(Time::from_nanos(start.as_nanos().next_multiple_of(NANOS)))
}

/// An instant in milliseconds; what is finer is cut off.
pub fn millis(at: Time) -> Millis {
    i64::try_from(at.as_nanos() / NANOS).expect("2^64 nanoseconds are 2^44 milliseconds")
}

/// Milliseconds as an instant.
pub fn time(at: Millis) -> Time {
    Time::from_nanos(at.unsigned_abs() * NANOS)
}
